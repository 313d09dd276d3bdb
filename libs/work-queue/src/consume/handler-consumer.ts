import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parseRate } from '@spillway/qos';
import type { BrokerConnection, IncomingMessage } from '../broker/broker.port.js';
import { ConfigurationError } from '../errors/configuration.error.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { withinDeadline } from '../timing/within-deadline.js';
import { type ConsumerBounds, type ConsumerResize, duePrefetch, resized } from './consumer-bounds.js';
import { Delivery, type DeliverySource, type Lane } from './delivery.js';
import { type Batching, InFlight } from './in-flight.js';
import { OwnDeliveries } from './own-deliveries.js';
import { Subscription } from './subscription.js';
import { TokenBucket } from './token-bucket.js';

export interface HandlerConsumerOptions extends ConsumerBounds {
  readonly queue: string;
  /** Holds what is to be tried again. */
  readonly dueQueue: string;
  /** Holds what may have killed its process. */
  readonly aloneQueue: string;
  /** Start of the consumer tags. */
  readonly tag: string;
  /** Undefined: as fast as it goes. */
  readonly ratePerSec: number | undefined;
  readonly batch: Batching | undefined;
  /** Stores a suspect anew, with one more start on record. Must not reject. */
  readonly setAside: (delivery: Delivery) => Promise<void>;
  /**
   * Gives back one that was set aside and has not begun, in a way that no start is counted for it. Must not reject.
   * @default given back as any other
   */
  readonly putBack?: (delivery: Delivery) => Promise<void>;
  /** Called with new bounds at the moment they hold. */
  readonly onResize?: (bounds: ConsumerBounds) => void;
  /** Makes its queues anew when they are gone. Must not reject. */
  readonly restore: () => Promise<void>;
}

/** Executes and settles what is handed over together. Must not reject. */
export type DeliveryWork = (deliveries: readonly Delivery[]) => Promise<void>;

/** How one handler takes its work; changes live. */
export interface WorkConsumer {
  readonly queue: string;
  readonly state: ConsumerState;
  /**
   * Changes how much may be out and running, from now on and across reconnects. Handlers running never exceed the larger
   * of the old and the new concurrency; what runs beyond the new one finishes. Resolves when the broker has been told, or at
   * once while it is away.
   * @throws ConfigurationError for bounds that make no sense; nothing was changed
   */
  resize(change: ConsumerResize): Promise<void>;
  /** Starts nothing more and gives back what has not started. Running handlers finish. Resolves when that is done. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

export interface ConsumerState extends ConsumerBounds {
  /** Undefined: no limit. */
  readonly ratePerSec: number | undefined;
  /** Handlers running now; a batch is one. */
  readonly running: number;
  /** Delivered here and not started. */
  readonly waiting: number;
  readonly isPaused: boolean;
  /** One at a time, since the handler fails again and again. */
  readonly isThrottled: boolean;
  /** Subscribed to its queues, unless paused. */
  readonly isWell: boolean;
}

const PAUSED = 'paused';
const STOPPED = 'stopped';
const UNSAFE = 'the ack of a suspect is not safe';
/** After the deadline handlers get this long to notice their aborted signal before the channel is closed on them. */
const ABANDON_GRACE_MS = 1_000;
/** Acks are on their way and, on a quorum queue, under way in the broker (rabbitmq-server#10327). */
const ACKS_SAFE_MS = 250;

/**
 * Takes one handler's work from its queue, its due queue and the queue of what runs alone, each with a channel and a
 * prefetch of its own, under one bound on what runs.
 */
export class HandlerConsumer implements WorkConsumer {
  private readonly inFlight: InFlight<Delivery>;
  private readonly subscriptions: Readonly<Record<Lane, Subscription>>;
  private readonly own = new OwnDeliveries();
  /** Being set aside or put back: neither waiting nor running, yet lost with their channel, and a drain waits for them. */
  private readonly returning = new Map<Delivery, Promise<void>>();
  /** It has its place already. */
  private readonly aboutToBegin = new Set<Delivery>();
  private readonly rate: TokenBucket;
  private readonly stop = new AbortController();
  private readonly aborting = new AbortController();
  private bounds: ConsumerBounds;
  private ratePerSec: number | undefined;
  private isPaused = false;
  private isThrottled = false;
  private unsafeTimer: NodeJS.Timeout | undefined;
  private draining: Promise<void> | undefined;

  constructor(
    connection: BrokerConnection,
    private readonly options: HandlerConsumerOptions,
    work: DeliveryWork,
    private readonly telemetry: Telemetry,
  ) {
    const { prefetch, concurrency, ratePerSec, batch, queue, dueQueue, aloneQueue, tag, restore } = options;
    this.bounds = { prefetch, concurrency };
    this.ratePerSec = ratePerSec;
    this.rate = new TokenBucket(ratePerSec, performance.now());
    this.inFlight = new InFlight(concurrency, this.rate, (deliveries) => this.run(deliveries, work), batch);
    // Every handler of this process may watch it, which is no leak.
    setMaxListeners(0, this.aborting.signal);
    const subscription = (lane: Lane, name: string, size: number): Subscription =>
      new Subscription(connection, { queue: name, lane, prefetch: size, tag, restore }, this, telemetry);
    this.subscriptions = {
      work: subscription('work', queue, prefetch),
      due: subscription('due', dueQueue, duePrefetch(this.bounds, this.batchSize)),
      // One at a time: should it kill this process, no other comes back as if it had.
      alone: subscription('alone', aloneQueue, 1),
    };
  }

  get queue(): string {
    return this.options.queue;
  }

  /** Aborts when nothing more should begin. */
  get stopping(): AbortSignal {
    return this.stop.signal;
  }

  /** Aborts when the drain deadline has passed, so that what runs should end. */
  get abandoned(): AbortSignal {
    return this.aborting.signal;
  }

  get state(): ConsumerState {
    const { bounds, ratePerSec, isPaused, isThrottled } = this;
    const { runningCount: running, waitingCount: waiting } = this.inFlight;
    const isWell = !this.stopping.aborted && this.silentQueues.length === 0;
    return { ...bounds, ratePerSec, running, waiting, isPaused, isThrottled, isWell };
  }

  /** Queues it should be subscribed to and is not. */
  get silentQueues(): string[] {
    return this.all.filter(({ isWell }) => !isWell).map(({ queue }) => queue);
  }

  /** Rejects when it cannot subscribe; then nothing is left open. */
  async start(): Promise<void> {
    try {
      await Promise.all(this.all.map((subscription) => subscription.start()));
    } catch (error) {
      await this.drain(0);
      throw error;
    }
  }

  async resize(change: ConsumerResize): Promise<void> {
    const bounds = resized(this.bounds, change, this.batchSize);
    const ratePerSec = change.rate === undefined ? this.ratePerSec : rateIn(change.rate);
    this.bounds = bounds;
    this.ratePerSec = ratePerSec;
    // First the local limit, which is the truth and holds at once, together with the rate; then what feeds it.
    this.rate.setRate(ratePerSec, performance.now());
    this.inFlight.setLimit(bounds.concurrency);
    this.options.onResize?.(bounds);
    const { work, due } = this.subscriptions;
    const { batchSize } = this;
    await Promise.all([work.setPrefetch(bounds.prefetch), due.setPrefetch(duePrefetch(bounds, batchSize))]);
    await this.giveBackSurplus(bounds.prefetch);
    this.telemetry.emit('consumer.resized', { queue: this.queue, ...bounds, ratePerSec });
  }

  async pause(): Promise<void> {
    this.isPaused = true;
    this.hold(PAUSED);
    await Promise.all(this.all.map((subscription) => subscription.pause()));
    if (this.isPaused) await this.giveBackWaiting(() => true);
    this.telemetry.emit('consumer.paused', { queue: this.queue });
  }

  async resume(): Promise<void> {
    this.isPaused = false;
    this.release(PAUSED);
    await Promise.all(this.all.map((subscription) => subscription.resume()));
    this.telemetry.emit('consumer.resumed', { queue: this.queue });
  }

  /**
   * Begins no new work from the queue; what is due goes on. What was delivered stays here, and the queue keeps its
   * consumer: it fills, and whoever is refused is not told that nobody works.
   */
  holdWork(): void {
    this.inFlight.holdLane('work');
  }

  releaseWork(): void {
    this.inFlight.releaseLane('work');
  }

  /** Starts nothing while there is a reason. What was delivered stays here. */
  hold(reason: string): void {
    this.inFlight.hold(reason);
  }

  release(reason: string): void {
    this.inFlight.release(reason);
  }

  /** One at a time. */
  throttle(isThrottled: boolean): void {
    this.isThrottled = isThrottled;
    this.inFlight.throttle(isThrottled);
  }

  /**
   * Cancel, give back what has not started, let the rest finish until the deadline, abort it, close.
   * Idempotent: a second call waits for the first.
   */
  drain(deadlineMs: number): Promise<void> {
    this.draining ??= this.drainOnce(deadlineMs);
    return this.draining;
  }

  received(message: IncomingMessage, source: DeliverySource): void {
    const isSuspect = message.isRedelivered && !this.isOwn(message, source);
    const delivery = new Delivery(message, source, isSuspect, this.remember);
    if (delivery.isOver) delivery.giveBack();
    else if (isSuspect) void this.setAside(delivery);
    else this.inFlight.add(delivery);
  }

  lost(source: DeliverySource): void {
    const isOfIt = (delivery: Delivery): boolean => delivery.source === source;
    // What runs is not among them: it may be why the connection was lost.
    const unbegun = [...this.returning.keys(), ...this.aboutToBegin];
    const lost = [...this.inFlight.takeWaiting(isOfIt), ...unbegun.filter(isOfIt)];
    for (const delivery of lost) this.remember(delivery);
    const { unwrittenAcks } = source.channel;
    if (unwrittenAcks > 0) this.telemetry.emit('acks.lost', { queue: this.queue, count: unwrittenAcks });
  }

  /**
   * It needs no place and no token, since it is not begun. But should another kill us before its ack is safe, there
   * would be two of it. n.b. nothing is held up while it is being stored: in a memory alarm that only ends because
   * others are worked on.
   */
  private async setAside(delivery: Delivery): Promise<void> {
    await this.away(delivery, this.options.setAside);
    if (this.stopping.aborted) return;
    this.hold(UNSAFE);
    clearTimeout(this.unsafeTimer);
    this.unsafeTimer = setTimeout(() => this.release(UNSAFE), ACKS_SAFE_MS);
  }

  /** Almost always it is the work alone, with no promise of its own around it. */
  private run(deliveries: readonly Delivery[], work: DeliveryWork): Promise<void> {
    const [first] = deliveries;
    if (first?.runsAlone) return this.runAlone(first, () => this.runAlive(deliveries, work));
    return deliveries.some(({ isOver }) => isOver) ? this.runAlive(deliveries, work) : work(deliveries);
  }

  private async runAlive(deliveries: readonly Delivery[], work: DeliveryWork): Promise<void> {
    // What a lost channel took along comes again; begun now it would surely be done twice.
    const alive = deliveries.filter(({ isOver }) => !isOver);
    const over = deliveries.filter(({ isOver }) => isOver);
    await Promise.all(over.map((delivery) => this.returnUnstarted(delivery)));
    if (alive.length > 0) await work(alive);
  }

  /**
   * What has just been finished here must not be done again because of what may kill us next: neither what ran before
   * it, nor this one, which would be taken for the killer.
   */
  private async runAlone(delivery: Delivery, run: () => Promise<void>): Promise<void> {
    this.aboutToBegin.add(delivery);
    await this.untilAcksAreSafe();
    this.aboutToBegin.delete(delivery);
    const isBegun = !delivery.isOver;
    await run();
    if (isBegun) await this.untilAcksAreSafe();
  }

  private async untilAcksAreSafe(): Promise<void> {
    await delay(ACKS_SAFE_MS, undefined, { signal: this.stopping }).catch(() => undefined);
  }

  private async drainOnce(deadlineMs: number): Promise<void> {
    this.stop.abort();
    clearTimeout(this.unsafeTimer);
    this.hold(STOPPED);
    if (!(await isDoneWithin(deadlineMs, this.quiet()))) {
      this.aborting.abort(new Error('the drain deadline has passed'));
      await isDoneWithin(ABANDON_GRACE_MS, this.inFlight.idle());
    }
    await Promise.all(this.all.map((subscription) => subscription.close()));
    this.telemetry.emit('consumer.stopped', { queue: this.queue });
  }

  /** Nothing more starts from the first moment on, but what is given back before the cancel would come again. */
  private async quiet(): Promise<void> {
    await Promise.all(this.all.map((subscription) => subscription.stop()));
    await this.giveBackWaiting(() => true);
    await Promise.all([...this.returning.values(), this.inFlight.idle()]);
  }

  private async giveBackWaiting(matches: (delivery: Delivery) => boolean): Promise<void> {
    const waiting = this.inFlight.takeWaiting(matches);
    await Promise.all(waiting.map((delivery) => this.returnUnstarted(delivery)));
  }

  /** Each new consumer brings a prefetch of its own: without this, resizes in a row would hoard the queue here. */
  private async giveBackSurplus(prefetch: number): Promise<void> {
    let kept = 0;
    await this.giveBackWaiting(({ lane }) => lane === 'work' && ++kept > prefetch);
  }

  private async returnUnstarted(delivery: Delivery): Promise<void> {
    const { putBack } = this.options;
    if (!delivery.isSetAside || !putBack || !delivery.source.channel.isOpen) return void delivery.giveBack();
    await this.away(delivery, putBack);
  }

  private async away(delivery: Delivery, store: (delivery: Delivery) => Promise<void>): Promise<void> {
    const stored = store(delivery);
    this.returning.set(delivery, stored);
    await stored;
    this.returning.delete(delivery);
  }

  /** So that it is no suspect when it comes back to this process. A suspect stays one: it was not begun here. */
  private readonly remember = ({ isSuspect, message, lane }: Delivery): void => {
    if (!isSuspect) this.own.add(lane, message.messageId);
  };

  /** It was out because of us, and we are still here. */
  private isOwn({ messageId }: IncomingMessage, { lane }: DeliverySource): boolean {
    return this.own.take(lane, messageId) || this.subscriptions[lane].hasJustCancelled;
  }

  private get all(): readonly Subscription[] {
    return Object.values(this.subscriptions);
  }

  private get batchSize(): number {
    return this.options.batch?.size ?? 1;
  }
}

/** @throws ConfigurationError */
function rateIn(text: string): number | undefined {
  if (text === 'none') return undefined;
  const ratePerSec = parseRate(text);
  if (ratePerSec !== undefined) return ratePerSec;
  throw new ConfigurationError(`expected a rate such as 200/s, 30/m, 1000/h or none, got: ${text}`);
}

function isDoneWithin(deadlineMs: number, work: Promise<void>): Promise<boolean> {
  return withinDeadline(
    work.then(() => true),
    deadlineMs,
    false,
  );
}
