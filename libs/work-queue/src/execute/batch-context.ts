import type { Attempt } from './attempt.js';
import { AttemptContext } from './attempt-context.js';
import type { WorkContext } from './work-context.js';

/** What a batch handler gets with `@Ctx()`: the context of each item, in the order of the payloads. */
export class BatchContext extends AttemptContext {
  constructor(
    readonly queue: string,
    readonly items: readonly WorkContext[],
  ) {
    super();
  }

  override begin(attempt: Attempt): void {
    super.begin(attempt);
    for (const item of this.items) item.begin(attempt);
  }
}
