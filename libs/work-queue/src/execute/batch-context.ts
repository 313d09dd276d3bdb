import type { Attempt } from './attempt.js';
import type { WorkContext } from './work-context.js';

/** What a batch handler gets with `@Ctx()`: the context of each item, in the order of the payloads. */
export class BatchContext {
  private current: Attempt | undefined;

  constructor(
    readonly queue: string,
    readonly items: readonly WorkContext[],
  ) {}

  /** Aborts when the `timeout` of the whole batch has passed or the process must end. */
  get signal(): AbortSignal {
    return this.current ? this.current.signal : NEVER;
  }

  /** The attempt that begins now. */
  begin(attempt: Attempt): void {
    this.current = attempt;
    for (const item of this.items) item.begin(attempt);
  }
}

const NEVER = new AbortController().signal;
