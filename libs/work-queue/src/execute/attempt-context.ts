import type { Attempt } from './attempt.js';

/** What handlers are given of the attempt they are called for, whether for one message or for many. */
export abstract class AttemptContext {
  private current: Attempt | undefined;

  /** Aborts when the attempt's `timeout` has passed or the process must end. Pass it on to what you await. */
  get signal(): AbortSignal {
    return this.current ? this.current.signal : NEVER;
  }

  /** The attempt that begins now. */
  begin(attempt: Attempt): void {
    this.current = attempt;
  }
}

const NEVER = new AbortController().signal;
