import type { Lane } from './delivery.js';
import type { TokenBucket } from './token-bucket.js';
import { type LaneItem, WaitingLanes } from './waiting-lanes.js';

export interface InFlightItem extends LaneItem {
  /** `performance.now()` when it came. */
  readonly receivedAt: number;
  /** Nothing else runs while it does. */
  readonly runsAlone: boolean;
}

export interface Batching {
  readonly size: number;
  /** How long the first item may wait for others, milliseconds. */
  readonly maxWaitMs: number;
}

/** One at a time. */
const NO_BATCH: Batching = { size: 1, maxWaitMs: 0 };

/**
 * The truth about how many handlers run. Prefetch only feeds it: deliveries that find no free place wait here, and
 * there are never more of them than the prefetches allow.
 *
 * Something starts when nothing holds it up, a place is free, the rate allows it, and, for a batch handler, the batch
 * is full or its first item has waited long enough: counted from when that came, so that a trickle is not delayed by
 * each newcomer.
 */
export class InFlight<Item extends InFlightItem> {
  private readonly waiting = new WaitingLanes<Item>();
  private readonly running = new Set<readonly Item[]>();
  private readonly holds = new Set<string>();
  private isAloneRunning = false;
  private isThrottled = false;
  private stragglers = new Set<readonly Item[]>();
  private timer: NodeJS.Timeout | undefined;
  private readonly idleListeners: Array<() => void> = [];

  constructor(
    private limit: number,
    private readonly rate: TokenBucket,
    /** Must not reject: whatever happens to an item is its outcome, not ours. */
    private readonly run: (items: readonly Item[]) => Promise<void>,
    private readonly batching: Batching = NO_BATCH,
  ) {}

  /** Handlers running now; a batch is one. */
  get runningCount(): number {
    return this.running.size;
  }

  get waitingCount(): number {
    return this.waiting.count;
  }

  get runningItems(): readonly Item[] {
    return [...this.running].flat();
  }

  add(item: Item): void {
    this.waiting.add(item);
    this.startNext();
  }

  /** How many may run from now on; what runs beyond it finishes. A changed rate holds from here on too. */
  setLimit(limit: number): void {
    this.limit = limit;
    this.startNext();
  }

  /** One at a time, batches too, until told otherwise. */
  throttle(isThrottled: boolean): void {
    // What began before says nothing about how things are now, and may take its time.
    if (isThrottled && !this.isThrottled) this.stragglers = new Set(this.running);
    if (!isThrottled) this.stragglers.clear();
    this.isThrottled = isThrottled;
    this.startNext();
  }

  /** Nothing starts while there is a reason not to. */
  hold(reason: string): void {
    this.holds.add(reason);
    this.stopTimer();
  }

  release(reason: string): void {
    this.holds.delete(reason);
    this.startNext();
  }

  /** Nothing of this lane starts; the others go on. */
  holdLane(lane: Lane): void {
    this.waiting.hold(lane);
    this.startNext();
  }

  releaseLane(lane: Lane): void {
    this.waiting.release(lane);
    this.startNext();
  }

  /** What has not started and matches; the caller settles it. */
  takeWaiting(matches: (item: Item) => boolean): Item[] {
    const taken = this.waiting.takeAll(matches);
    // One that runs alone may have kept others from starting.
    this.startNext();
    return taken;
  }

  /** Resolves when nothing runs. */
  async idle(): Promise<void> {
    if (this.running.size === 0) return;
    await new Promise<void>((resolve) => this.idleListeners.push(resolve));
  }

  private startNext(): void {
    this.stopTimer();
    while (this.hasPlace) {
      const items = this.takeNext();
      if (items.length === 0) return;
      this.start(items);
    }
  }

  private get hasPlace(): boolean {
    if (this.running.size >= this.limit || this.holds.size > 0 || this.isAloneRunning) return false;
    return !this.isThrottled || this.running.size === this.stragglers.size;
  }

  /** Empty when nothing may start now; then a timer or the next event looks again. */
  private takeNext(): readonly Item[] {
    const items = this.nextTogether();
    if (items.length === 0) return items;
    const waitMs = this.rate.take(items.length, performance.now());
    if (waitMs > 0) {
      this.wakeIn(waitMs);
      return [];
    }
    this.waiting.take(items.length);
    return items;
  }

  /** What is to start next; empty when there is nothing, or it is to wait for others. */
  private nextTogether(): readonly Item[] {
    const { first } = this.waiting;
    if (!first || (first.runsAlone && this.running.size > 0)) return [];
    const size = first.runsAlone || this.isThrottled ? 1 : this.batching.size;
    if (size === 1) return [first];
    const items = this.waiting.next(size);
    // One that runs alone is not for company, and nothing gets past it: then waiting for more is in vain.
    const alone = items.findIndex(({ runsAlone }) => runsAlone);
    if (alone >= 0) return items.slice(0, alone);
    return items.length === size || this.haveWaited() ? items : [];
  }

  private haveWaited(): boolean {
    const since = Math.min(...this.waiting.oldest.map(({ receivedAt }) => receivedAt));
    const leftMs = since + this.batching.maxWaitMs - performance.now();
    if (leftMs > 0) this.wakeIn(leftMs);
    return leftMs <= 0;
  }

  private start(items: readonly Item[]): void {
    this.running.add(items);
    this.isAloneRunning = items[0]?.runsAlone === true;
    const finished = (): void => this.finished(items);
    this.run(items).then(finished, finished);
  }

  private finished(items: readonly Item[]): void {
    this.running.delete(items);
    this.stragglers.delete(items);
    this.isAloneRunning = false;
    this.startNext();
    if (this.running.size === 0) for (const listener of this.idleListeners.splice(0)) listener();
  }

  private wakeIn(ms: number): void {
    this.stopTimer();
    this.timer = setTimeout(() => this.startNext(), Math.ceil(ms));
  }

  private stopTimer(): void {
    if (!this.timer) return;
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
