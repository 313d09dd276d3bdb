import type { QueueReading } from '../broker/broker.port.js';

interface Look {
  readonly reading: QueueReading;
  readonly at: number;
}

/** What is known of how full a queue is: the last look at it, and what was let in since. */
export class FillGauge {
  private last: Look | undefined;
  private letIn = 0;
  private looking: Promise<QueueReading | undefined> | undefined;
  private lookingNext: Promise<QueueReading | undefined> | undefined;

  constructor(
    /** Must not reject; undefined when the queue could not be read. */
    private readonly look: () => Promise<QueueReading | undefined>,
    private readonly clock: () => number,
  ) {}

  get lastReading(): QueueReading | undefined {
    return this.last?.reading;
  }

  /** Ready messages, at most, by a look no older than `maxAgeMs`; undefined when there is none. */
  readyWithin(maxAgeMs: number): number | undefined {
    if (!this.last || this.clock() - this.last.at > maxAgeMs) return undefined;
    return this.last.reading.readyMessages + this.letIn;
  }

  /** One more message is on its way into the queue. */
  countLetIn(): void {
    this.letIn++;
  }

  /** The last look says nothing about now. */
  forget(): void {
    this.last = undefined;
  }

  /** Looks at the queue; many at once share one look. */
  read(): Promise<QueueReading | undefined> {
    this.looking ??= this.readNow().finally(() => (this.looking = undefined));
    return this.looking;
  }

  /** The same with a look that begins now or later: one that is under way may have seen the queue before. */
  readAnew(): Promise<QueueReading | undefined> {
    if (!this.looking) return this.read();
    this.lookingNext ??= this.looking.then(() => {
      this.lookingNext = undefined;
      return this.read();
    });
    return this.lookingNext;
  }

  private async readNow(): Promise<QueueReading | undefined> {
    const before = this.letIn;
    const reading = await this.look();
    if (!reading) return undefined;
    // As old as its answer: under load a look takes longer than it may be old, and then none would count.
    this.last = { reading, at: this.clock() };
    // What was let in while we looked may be in the reading or not.
    this.letIn -= before;
    return reading;
  }
}
