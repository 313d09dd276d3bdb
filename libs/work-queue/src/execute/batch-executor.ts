import { BatchFailure } from '../errors/batch-failure.error.js';
import type { Attempt } from './attempt.js';
import { BatchContext } from './batch-context.js';
import type { Executor, ExecutorParts, Prepared, WorkItem } from './executor.js';
import type { Execution, Outcome } from './outcome.js';
import type { WorkContext } from './work-context.js';

/** An item that may be handed over, and its place among all. */
interface Ready {
  readonly index: number;
  readonly payload: unknown;
  readonly context: WorkContext;
}

/**
 * One call of a batch handler for many messages, and an outcome for each. What cannot be decoded, is not valid or came
 * too late is left out of the call and costs its neighbours nothing.
 */
export class BatchExecutor {
  constructor(
    private readonly parts: Pick<ExecutorParts, 'handler' | 'running'>,
    private readonly executor: Executor,
  ) {}

  /** The executions in the order of the items. */
  async execute(items: readonly WorkItem[], abandoned: AbortSignal): Promise<Execution[]> {
    const attempt = this.parts.running.begin(items.map(({ messageId }) => messageId));
    try {
      const prepared = await Promise.all(items.map(async (item) => this.executor.prepare(item, abandoned)));
      const startable = prepared.map((each) => this.executor.startable(each, attempt, abandoned));
      return await this.executeReady(startable, attempt, abandoned);
    } finally {
      this.parts.running.end(attempt);
    }
  }

  private async executeReady(
    prepared: readonly Prepared[],
    attempt: Attempt,
    abandoned: AbortSignal,
  ): Promise<Execution[]> {
    const executions: Execution[] = [];
    const ready: Ready[] = [];
    for (const [index, item] of prepared.entries()) {
      if (item.context) ready.push({ index, payload: item.payload, context: item.context });
      else executions[index] = { outcome: item.outcome, serviceTimeMs: undefined };
    }
    if (ready.length === 0) return executions;
    const startedAt = performance.now();
    const outcomes = await this.call(ready, attempt, abandoned);
    const serviceTimeMs = performance.now() - startedAt;
    for (const [place, { index }] of ready.entries()) {
      const outcome = outcomes[place];
      if (outcome) executions[index] = { outcome, serviceTimeMs };
    }
    return executions;
  }

  private async call(ready: readonly Ready[], attempt: Attempt, abandoned: AbortSignal): Promise<Outcome[]> {
    const { handler } = this.parts;
    const contexts = ready.map(({ context }) => context);
    // Lists of its own: what the handler does to them must not cost an item its outcome.
    const batch = new BatchContext(handler.queue, [...contexts]);
    batch.begin(attempt);
    try {
      const payloads = ready.map(({ payload }) => payload);
      const results = await handler.invoke(payloads, batch);
      if (attempt.timeout) throw attempt.timeout;
      return contexts.map((context, index) => succeeded(context, resultOf(results, index, ready.length)));
    } catch (error) {
      return this.failed(contexts, { error, attempt }, abandoned);
    }
  }

  private failed(
    contexts: readonly WorkContext[],
    { error, attempt }: { readonly error: unknown; readonly attempt: Attempt },
    abandoned: AbortSignal,
  ): Outcome[] {
    const failures = namedFailures(error, contexts.length);
    return contexts.map((context, index) => {
      if (!failures) return this.executor.failed(context, error, abandoned);
      if (failures.has(index)) return this.executor.failed(context, failures.get(index), abandoned);
      // As for one message, a late success is a failure.
      return attempt.timeout
        ? this.executor.failed(context, attempt.timeout, abandoned)
        : succeeded(context, undefined);
    });
  }
}

/** Undefined when it names no item or one that is not there: then nobody knows which failed, and all count as failed. */
function namedFailures(error: unknown, count: number): BatchFailure['failures'] | undefined {
  try {
    if (!(error instanceof BatchFailure)) return undefined;
    const failures = new Map(error.failures);
    const isSound = [...failures.keys()].every(
      (index) => Number.isInteger(index) && index >= 0 && index < count,
    );
    return isSound && failures.size > 0 ? failures : undefined;
  } catch {
    // Anything can be thrown, also what cannot even be looked at.
    return undefined;
  }
}

function succeeded({ attempt }: WorkContext, result: unknown): Outcome {
  return { kind: 'succeeded', attempts: attempt, result };
}

/** For callers that wait: an array as long as the batch holds a result for each item, anything else is for nobody. */
function resultOf(results: unknown, index: number, count: number): unknown {
  return Array.isArray(results) && results.length === count ? results[index] : undefined;
}
