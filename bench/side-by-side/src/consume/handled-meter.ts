import { type CpuTime, cpuTimeSince } from '../process/cpu-time.js';

/** How many messages come before those that count, and how many count. */
export interface MessageCounts {
  readonly warmUp: number;
  readonly measured: number;
}

/** From the first of the measured messages to the last of them. */
export interface HandledSpan {
  /** One less than were measured: the first begins the span. */
  readonly messages: number;
  readonly elapsedMs: number;
  readonly cpu: CpuTime;
}

interface Moment {
  readonly atMs: number;
  readonly cpu: CpuTime;
}

const thisMoment = (): Moment => ({ atMs: performance.now(), cpu: cpuTimeSince() });

/**
 * Counts handled messages. Its clock starts with the first message after the warm-up and stops with the last one that
 * is measured, by count alone: a pause of the broker neither ends the span nor is left out of it.
 */
export class HandledMeter {
  /** Resolves with the last message that is measured. */
  readonly finished: Promise<void>;
  private count = 0;
  private readonly first: number;
  private readonly last: number;
  private beginning: Moment | undefined;
  private end: Moment | undefined;
  private finish: () => void = () => undefined;

  constructor(
    { warmUp, measured }: MessageCounts,
    private readonly now: () => Moment = thisMoment,
  ) {
    this.first = warmUp + 1;
    this.last = warmUp + measured;
    this.finished = new Promise((resolve) => (this.finish = resolve));
  }

  /** Everything, with the warm-up and with what came after the last. */
  get handledCount(): number {
    return this.count;
  }

  /** Undefined until the last one. */
  get span(): HandledSpan | undefined {
    const { beginning, end } = this;
    if (!beginning || !end) return undefined;
    return {
      messages: this.last - this.first,
      elapsedMs: end.atMs - beginning.atMs,
      cpu: {
        userUs: end.cpu.userUs - beginning.cpu.userUs,
        systemUs: end.cpu.systemUs - beginning.cpu.systemUs,
      },
    };
  }

  handled(): void {
    this.count += 1;
    if (this.count === this.first) this.beginning = this.now();
    if (this.count !== this.last) return;
    this.end = this.now();
    this.finish();
  }
}
