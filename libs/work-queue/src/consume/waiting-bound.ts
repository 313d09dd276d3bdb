export interface WaitingBoundOptions {
  readonly maxWaiting: number;
  /** Messages that wait for their next attempt, of all workers; undefined when it cannot be told. */
  readonly read: () => Promise<number | undefined>;
  /** Called when the bound is reached, and when there is room again. */
  readonly changed: (isFull: boolean, waiting: number) => void;
}

/** While work begins to wait; between two readings what this process added is counted on top. */
const READ_EVERY_MS = 250;
const POLL_WHILE_FULL_MS = 500;
/** A little below the bound, so that it is not left and reached all the time. */
const ROOM_AT = 0.9;

/**
 * Work that waits for its next attempt was accepted too, so it is bounded: otherwise an outage of the downstream would
 * make an endless backlog while every answer is 202. At the bound no new work is taken from the queue, which fills and
 * refuses.
 *
 * It is read from the broker, since all workers share it: past the bound it can go by what all of them add within a
 * quarter of a second, and by what runs at that moment.
 */
export class WaitingBound {
  private lastRead = 0;
  private lastReadAt = Number.NEGATIVE_INFINITY;
  private addedSince = 0;
  private isReading = false;
  private isFull = false;
  private isStopped = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: WaitingBoundOptions) {}

  /** Work of this process began to wait. */
  added(): void {
    this.addedSince++;
    // An old reading says nothing; the new one decides.
    if (this.isReading) return;
    if (performance.now() - this.lastReadAt >= READ_EVERY_MS) void this.look();
    else this.decide();
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  private async look(): Promise<void> {
    if (this.isReading || this.isStopped) return;
    this.isReading = true;
    this.lastReadAt = performance.now();
    const addedBefore = this.addedSince;
    const waiting = await this.options.read().catch(() => undefined);
    this.isReading = false;
    if (this.isStopped) return;
    if (waiting !== undefined) {
      this.lastRead = waiting;
      // What was added while it was read may or may not be in it.
      this.addedSince -= addedBefore;
    }
    this.decide();
    if (this.isFull) this.lookAgain();
  }

  private lookAgain(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), POLL_WHILE_FULL_MS);
  }

  private decide(): void {
    const waiting = this.lastRead + this.addedSince;
    const { maxWaiting, changed } = this.options;
    const isFull = waiting >= (this.isFull ? Math.ceil(maxWaiting * ROOM_AT) : maxWaiting);
    if (isFull === this.isFull || this.isStopped) return;
    this.isFull = isFull;
    changed(isFull, waiting);
    // From here on nothing may be added that would make us look.
    if (isFull) this.lookAgain();
    else clearTimeout(this.timer);
  }
}
