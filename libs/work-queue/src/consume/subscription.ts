import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { BrokerConnection, ConsumeChannel, IncomingMessage } from '../broker/broker.port.js';
import { describeThrown } from '../errors/describe-thrown.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { withinDeadline } from '../timing/within-deadline.js';
import { deletionOver } from './deleted-queue.js';
import type { DeliverySource, Lane } from './delivery.js';

export interface SubscriptionOptions {
  readonly queue: string;
  readonly lane: Lane;
  /** Deliveries the broker may have out on it. */
  readonly prefetch: number;
  /** Start of the consumer tags; an epoch is appended, since a tag must never be used twice. */
  readonly tag: string;
  /** Makes the queue anew when it is gone. Must not reject. */
  readonly restore: () => Promise<void>;
}

/** Whose subscription it is. */
export interface Subscriber {
  /** Must not throw. */
  received(message: IncomingMessage, source: DeliverySource): void;
  /** The channel is gone, and with it the right to settle what it delivered: all of that comes again. */
  lost(source: DeliverySource): void;
}

interface ActiveConsumer {
  readonly tag: string;
  readonly prefetch: number;
}

/** One channel and what there is on it. What is still under way on it when it is gone touches no later one. */
interface Subscribed {
  readonly source: DeliverySource;
  readonly ending: AbortController;
  /** Resolves with the reason when it is over. */
  readonly ended: Promise<string>;
  /** Makes that so, for `supervise` to make the next. */
  readonly fail: (error: unknown) => void;
  /** Why it was made so; undefined while it was not. */
  failure: Error | undefined;
  /** By the broker, and most likely for the queue's deletion. */
  isCancelled: boolean;
  consumer: ActiveConsumer | undefined;
  converging: Promise<void>;
}

const BACKOFF_INITIAL_MS = 100;
const BACKOFF_MAX_MS = 5_000;
/**
 * A broker that is well answers a cancel in milliseconds; but giving the channel up costs the work that runs on it, and a
 * busy event loop may be all that keeps the answer from us. When we stop there is less to wait for.
 */
const CANCEL_TIMEOUT_MS = 10_000;
const CANCEL_TIMEOUT_AT_STOP_MS = 2_000;
/** Making a queue asks the management API too, which may be slow or away. */
const RESTORE_TIMEOUT_MS = 10_000;
/** Quorum queues give back what was on its way to the consumer: about three messages a time at prefetch 20. */
const CANCEL_ECHO_MS = 1_000;

/**
 * One queue, one channel, one consumer. It comes back by itself after a lost connection, a closed channel or a cancel
 * by the broker.
 *
 * Prefetch binds when a consumer is made, so a change makes a new one on the same channel, under a new tag: cancel,
 * qos, consume. What is out already is settled on that channel as before; until it is, the broker has up to the old and
 * the new prefetch out here. This is the one sequence that works on every version and queue type.
 */
export class Subscription {
  private readonly stopping = new AbortController();
  private paused = false;
  private prefetch: number;
  private current: Subscribed | undefined;
  private epoch = 0;
  private cancelledAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly connection: BrokerConnection,
    private readonly options: SubscriptionOptions,
    private readonly subscriber: Subscriber,
    private readonly telemetry: Telemetry,
  ) {
    this.prefetch = options.prefetch;
  }

  get queue(): string {
    return this.options.queue;
  }

  /** It consumes, or would if it were not paused. */
  get isWell(): boolean {
    const { current, stopping } = this;
    if (!current?.source.channel.isOpen || stopping.signal.aborted) return false;
    return current.consumer !== undefined || this.isPaused;
  }

  get isPaused(): boolean {
    return this.paused;
  }

  /** What the broker had sent for a consumer cancelled a moment ago, it hands out again, marked as redelivered. */
  get hasJustCancelled(): boolean {
    return performance.now() - this.cancelledAt < CANCEL_ECHO_MS;
  }

  /** Rejects when the first attempt fails; later ones are repeated. */
  async start(): Promise<void> {
    void this.supervise(await this.subscribe());
  }

  /** Resolves when the broker has been told, or at once when there is no channel: the next one begins with it. */
  async setPrefetch(prefetch: number): Promise<void> {
    this.prefetch = prefetch;
    await this.converge();
  }

  /** No new deliveries until `resume`. Resolves when the broker has agreed. */
  async pause(): Promise<void> {
    this.paused = true;
    await this.converge();
  }

  async resume(): Promise<void> {
    this.paused = false;
    await this.converge();
  }

  /** No new deliveries, ever. What is out can still be settled until `close`. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.converge();
  }

  async close(): Promise<void> {
    this.stopping.abort();
    if (this.current) await this.letGo(this.current);
  }

  /** Makes the broker's consumer what is wanted now; one change after another. */
  private async converge(): Promise<void> {
    const { current } = this;
    if (!current) return;
    current.converging = current.converging.then(() => this.convergeNow(current));
    await current.converging;
  }

  private async convergeNow(current: Subscribed): Promise<void> {
    const { channel } = current.source;
    try {
      if (channel.isOpen && current.consumer && current.consumer.prefetch !== this.wanted) {
        await this.cancel(current, current.consumer);
      }
      if (channel.isOpen && !current.consumer && this.wanted !== undefined) {
        await this.consume(current, this.wanted);
      }
    } catch (error) {
      // A channel that does not do as told is given up, and the next one begins with what is wanted. But not when we
      // stop: what runs still has to be settled on it.
      current.fail(error);
      if (!this.stopping.signal.aborted) await this.letGo(current);
    }
  }

  /** The prefetch of the consumer there should be; undefined when there should be none. */
  private get wanted(): number | undefined {
    return this.isPaused || this.stopping.signal.aborted ? undefined : this.prefetch;
  }

  private async cancel(current: Subscribed, { tag }: ActiveConsumer): Promise<void> {
    const isCancelled = current.source.channel.cancel(tag).then(() => true);
    const timeoutMs = this.stopping.signal.aborted ? CANCEL_TIMEOUT_AT_STOP_MS : CANCEL_TIMEOUT_MS;
    if (!(await withinDeadline(isCancelled, timeoutMs, false))) {
      throw new Error(`the broker did not cancel a consumer within ${timeoutMs} ms`);
    }
    current.consumer = undefined;
    this.cancelledAt = performance.now();
  }

  private async consume(current: Subscribed, prefetch: number): Promise<void> {
    const { queue, tag } = this.options;
    const epoch = ++this.epoch;
    const consumerTag = `${tag}.${epoch}`;
    await current.source.channel.consume({
      queue,
      prefetch,
      consumerTag,
      onMessage: (message) => this.subscriber.received(message, current.source),
      onCancelled: () => {
        if (epoch !== this.epoch) return;
        current.isCancelled = true;
        current.fail(new Error('the broker cancelled the consumer'));
      },
    });
    current.consumer = { tag: consumerTag, prefetch };
    this.telemetry.emit('consumer.started', { queue, prefetch });
  }

  /** Resolves with a channel, and a consumer unless paused. */
  private async subscribe(): Promise<Subscribed> {
    const current = this.subscribedOn(await this.connection.openConsumeChannel());
    this.current = current;
    await this.converge();
    // The broker may have cancelled it in the same breath.
    if (current.failure) {
      if (!this.stopping.signal.aborted) await this.letGo(current);
      throw current.failure;
    }
    // A stop that came meanwhile saw the channel before this one.
    if (this.stopping.signal.aborted) await this.letGo(current);
    return current;
  }

  private subscribedOn(channel: ConsumeChannel): Subscribed {
    let resolveFailed: (reason: string) => void = () => undefined;
    const failed = new Promise<string>((resolve) => (resolveFailed = resolve));
    const ending = this.endingOf(channel);
    const subscribed: Subscribed = {
      source: { lane: this.options.lane, channel, ending: ending.signal },
      ending,
      ended: Promise.race([channel.closed, failed]),
      fail: (error) => {
        subscribed.failure ??= error instanceof Error ? error : new Error(describeThrown(error));
        resolveFailed(describeThrown(error));
      },
      failure: undefined,
      isCancelled: false,
      consumer: undefined,
      converging: Promise.resolve(),
    };
    return subscribed;
  }

  private endingOf(channel: ConsumeChannel): AbortController {
    const ending = new AbortController();
    // Many handlers may watch it, which is no leak.
    setMaxListeners(0, ending.signal);
    const end = (): void => ending.abort();
    this.stopping.signal.addEventListener('abort', end, { once: true, signal: ending.signal });
    void channel.closed.then(end);
    return ending;
  }

  private async supervise(first: Subscribed): Promise<void> {
    const { signal } = this.stopping;
    let subscribed: Subscribed | undefined = first;
    for (let attempt = 0; !signal.aborted; attempt++) {
      if (subscribed) {
        await this.ended(subscribed, await subscribed.ended);
        attempt = 0;
      }
      if (signal.aborted) return;
      subscribed = await this.resubscribe(attempt, subscribed?.isCancelled);
    }
  }

  private async ended(subscribed: Subscribed, reason: string): Promise<void> {
    subscribed.consumer = undefined;
    if (this.stopping.signal.aborted) return;
    await this.letGo(subscribed);
    this.reportLoss(reason, 0);
  }

  /** From the call on nothing can be settled on the channel, however long the broker takes to answer. */
  private async letGo(subscribed: Subscribed): Promise<void> {
    const { source, ending } = subscribed;
    ending.abort();
    const closed = source.channel.close();
    if (this.current === subscribed) {
      this.current = undefined;
      this.subscriber.lost(source);
    }
    await closed;
  }

  private async resubscribe(attempt: number, wasCancelled = false): Promise<Subscribed | undefined> {
    const { signal } = this.stopping;
    try {
      await delay(backoffMs(attempt), undefined, { signal });
      await this.connection.whenOpen(signal);
      if (wasCancelled || attempt > 0) await this.restore();
      return await this.subscribe();
    } catch (error) {
      if (!signal.aborted) this.reportLoss(describeThrown(error), attempt + 1);
      return undefined;
    }
  }

  /** n.b. a queue that is being made is as dangerous to consume as one that is being deleted. */
  private async restore(): Promise<void> {
    await deletionOver(this.connection, this.queue, this.stopping.signal);
    await withinDeadline(this.options.restore(), RESTORE_TIMEOUT_MS, undefined);
  }

  private reportLoss(reason: string, attempt: number): void {
    this.telemetry.emit('consumer.lost', { queue: this.queue, reason, retryInMs: backoffMs(attempt) });
  }
}

function backoffMs(attempt: number): number {
  return Math.min(BACKOFF_MAX_MS, BACKOFF_INITIAL_MS * 2 ** attempt);
}
