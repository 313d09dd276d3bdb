/**
 * The truth about how many handlers run. Prefetch only feeds it: deliveries that find no free place wait here,
 * and there are never more of them than the prefetch allows.
 */
export class InFlight<Item> {
  private running = 0;
  private readonly waiting: Item[] = [];
  private isStopped = false;
  private readonly idleListeners: Array<() => void> = [];

  constructor(
    private readonly limit: number,
    /** Must not reject: whatever happens to an item is its outcome, not ours. */
    private readonly run: (item: Item) => Promise<void>,
  ) {}

  get runningCount(): number {
    return this.running;
  }

  add(item: Item): void {
    this.waiting.push(item);
    this.startNext();
  }

  /** Starts nothing more; hands out what has not started. */
  stop(): Item[] {
    this.isStopped = true;
    return this.takeWaiting();
  }

  /** What has not started; the caller settles it. Used when its channel is gone. */
  takeWaiting(): Item[] {
    return this.waiting.splice(0);
  }

  /** Resolves when nothing runs. */
  async idle(): Promise<void> {
    if (this.running === 0) return;
    await new Promise<void>((resolve) => this.idleListeners.push(resolve));
  }

  private startNext(): void {
    while (!this.isStopped && this.running < this.limit) {
      const item = this.waiting.shift();
      if (item === undefined) return;
      this.running++;
      void this.run(item).finally(() => this.finished());
    }
  }

  private finished(): void {
    this.running--;
    this.startNext();
    if (this.running === 0) for (const listener of this.idleListeners.splice(0)) listener();
  }
}
