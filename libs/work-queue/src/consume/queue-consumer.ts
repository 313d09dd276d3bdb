import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { BrokerConnection, ConsumeChannel } from '../broker/broker.port.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { withinDeadline } from '../timing/within-deadline.js';
import { Delivery } from './delivery.js';
import { InFlight } from './in-flight.js';

export interface QueueConsumerOptions {
  readonly queue: string;
  /** Deliveries the broker may have out here, at least `concurrency`. */
  readonly prefetch: number;
  /** Handlers running at once. */
  readonly concurrency: number;
  /** Start of the consumer tag; an epoch is appended, since a tag must never be used twice. */
  readonly tag: string;
}

/**
 * What a delivery's work may watch: `stopping` when we drain or its channel is gone, so that nothing more should
 * begin; `abandoned` when the drain deadline has passed, so that what runs should end.
 */
export interface WorkSignals {
  readonly stopping: AbortSignal;
  readonly abandoned: AbortSignal;
}

/** Executes and settles one delivery. Must not reject. */
export type DeliveryWork = (delivery: Delivery, signals: WorkSignals) => Promise<void>;

const BACKOFF_INITIAL_MS = 100;
const BACKOFF_MAX_MS = 5_000;
/** A broker that is well answers a cancel in milliseconds. */
const CANCEL_TIMEOUT_MS = 2_000;
/** After the deadline handlers get this long to notice their aborted signal before the channel is closed on them. */
const ABANDON_GRACE_MS = 1_000;

/**
 * One queue, one channel, one consumer. Comes back by itself after a lost connection, a closed channel or a
 * cancel by the broker; handlers that still run from before keep their places, so the bound holds across it.
 */
export class QueueConsumer {
  private readonly inFlight: InFlight<Delivery>;
  private readonly stopping = new AbortController();
  private readonly abandoned = new AbortController();
  private channel: ConsumeChannel | undefined;
  private consumerTag = '';
  private epoch = 0;
  private draining: Promise<void> | undefined;

  constructor(
    private readonly connection: BrokerConnection,
    private readonly options: QueueConsumerOptions,
    work: DeliveryWork,
    private readonly telemetry: Telemetry,
  ) {
    const abandoned = this.abandoned.signal;
    // Every handler of this process watches it, which is no leak.
    setMaxListeners(0, abandoned);
    this.inFlight = new InFlight(options.concurrency, async (delivery) => {
      // What a lost channel took along comes again; begun now it would surely be done twice.
      if (delivery.ending.aborted) delivery.giveBack();
      else await work(delivery, { stopping: delivery.ending, abandoned });
    });
  }

  get queue(): string {
    return this.options.queue;
  }

  get isConsuming(): boolean {
    return this.channel?.isOpen === true && !this.stopping.signal.aborted;
  }

  get runningCount(): number {
    return this.inFlight.runningCount;
  }

  async start(): Promise<void> {
    const ended = await this.subscribe();
    void this.supervise(ended);
  }

  /**
   * Cancel, give back what has not started, let the rest finish until the deadline, abort it, close.
   * Idempotent: a second call waits for the first.
   */
  drain(deadlineMs: number): Promise<void> {
    this.draining ??= this.drainOnce(deadlineMs);
    return this.draining;
  }

  private async drainOnce(deadlineMs: number): Promise<void> {
    this.stopping.abort();
    const { channel } = this;
    if (!(await isDoneWithin(deadlineMs, this.quiet(channel)))) {
      this.abandoned.abort(new Error('the drain deadline has passed'));
      await isDoneWithin(ABANDON_GRACE_MS, this.inFlight.idle());
    }
    await channel?.close();
    this.telemetry.emit('consumer.stopped', { queue: this.options.queue });
  }

  /** Nothing more starts from the first moment on, but what is given back before the cancel would come again. */
  private async quiet(channel: ConsumeChannel | undefined): Promise<void> {
    const unstarted = this.inFlight.stop();
    if (channel?.isOpen) {
      // A frozen broker never answers; what it still delivers is given back or dies with the channel.
      const cancelled = channel.cancel(this.consumerTag).catch(() => undefined);
      await isDoneWithin(CANCEL_TIMEOUT_MS, cancelled);
    }
    for (const delivery of unstarted) delivery.giveBack();
    await this.inFlight.idle();
  }

  /** Resolves once consuming; the result resolves with the reason when that ends. */
  private async subscribe(): Promise<{ ended: Promise<string> }> {
    const channel = await this.connection.openConsumeChannel();
    const ending = this.endingOf(channel);
    const cancelled = deferred();
    const { queue, prefetch, concurrency, tag } = this.options;
    this.consumerTag = `${tag}.${++this.epoch}`;
    await channel.consume({
      queue,
      prefetch,
      consumerTag: this.consumerTag,
      onMessage: (message) => this.received(new Delivery(message, channel, ending)),
      onCancelled: () => cancelled.resolve('the broker cancelled the consumer'),
    });
    this.channel = channel;
    // A drain that began meanwhile saw the channel before this one.
    if (this.stopping.signal.aborted) await channel.close();
    else this.telemetry.emit('consumer.started', { queue, prefetch, concurrency });
    return { ended: Promise.race([channel.closed, cancelled.promise]) };
  }

  private endingOf(channel: ConsumeChannel): AbortSignal {
    const ending = new AbortController();
    setMaxListeners(0, ending.signal);
    const end = (): void => ending.abort();
    this.stopping.signal.addEventListener('abort', end, { once: true, signal: ending.signal });
    void channel.closed.then(end);
    return ending.signal;
  }

  private received(delivery: Delivery): void {
    if (this.stopping.signal.aborted) delivery.giveBack();
    else this.inFlight.add(delivery);
  }

  private async supervise(first: { ended: Promise<string> }): Promise<void> {
    let subscription: { ended: Promise<string> } | undefined = first;
    for (let attempt = 0; !this.stopping.signal.aborted; attempt++) {
      if (subscription) {
        await this.ended(await subscription.ended);
        attempt = 0;
      }
      if (this.stopping.signal.aborted) return;
      subscription = await this.resubscribe(attempt);
    }
  }

  private async ended(reason: string): Promise<void> {
    if (this.stopping.signal.aborted) return;
    // Unstarted deliveries of a lost channel come again on the next one; started ones find their channel dead.
    for (const delivery of this.inFlight.takeWaiting()) delivery.giveBack();
    await this.channel?.close();
    this.telemetry.emit('consumer.lost', {
      queue: this.options.queue,
      reason,
      retryInMs: BACKOFF_INITIAL_MS,
    });
  }

  private async resubscribe(attempt: number): Promise<{ ended: Promise<string> } | undefined> {
    const { signal } = this.stopping;
    try {
      await delay(Math.min(BACKOFF_MAX_MS, BACKOFF_INITIAL_MS * 2 ** attempt), undefined, { signal });
      await this.connection.whenOpen(signal);
      return await this.subscribe();
    } catch (error) {
      if (!signal.aborted) this.reportFailure(error, attempt);
      return undefined;
    }
  }

  private reportFailure(error: unknown, attempt: number): void {
    const retryInMs = Math.min(BACKOFF_MAX_MS, BACKOFF_INITIAL_MS * 2 ** (attempt + 1));
    const reason = error instanceof Error ? error.message : String(error);
    this.telemetry.emit('consumer.lost', { queue: this.options.queue, reason, retryInMs });
  }
}

function isDoneWithin(deadlineMs: number, work: Promise<void>): Promise<boolean> {
  return withinDeadline(
    work.then(() => true),
    deadlineMs,
    false,
  );
}

function deferred(): { promise: Promise<string>; resolve: (reason: string) => void } {
  let resolve: (reason: string) => void = () => undefined;
  const promise = new Promise<string>((settle) => (resolve = settle));
  return { promise, resolve };
}
