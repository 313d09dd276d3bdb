import { NEWBORN_QUEUE_MS } from './newborn-queue.js';
import {
  ensureRetryQueues,
  missingQueues,
  problemOfRetries,
  type RetryDeps,
  retryQueuesOf,
  type RetryTarget,
} from './retry-topology.js';

export interface PreparedRetries {
  /** By this process, now or before. */
  readonly wasCreated: boolean;
  /** How long to wait before publishing to them; less each time it is asked for. */
  readonly settleMs: number;
}

/**
 * The retry queues of one work queue, as far as this process needs them: the due queue, the steps it was started
 * with, and those a handler asked for since. Each is made once and remembered, and forgotten when that failed.
 */
export class RetryLadder {
  private readonly making = new Map<Part, Promise<Made>>();
  private readonly knownStepsMs = new Set<number>();
  private isKnown = false;

  constructor(
    private readonly queue: string,
    private readonly deps: RetryDeps,
  ) {}

  /**
   * @param stepsMs keep their number small: each that is new is one more quorum queue, for ever
   * @throws TopologyError, ManagementError as `ensureRetryQueues`
   */
  async prepare(stepsMs: readonly number[]): Promise<PreparedRetries> {
    const parts: Part[] = ['due', ...stepsMs];
    const fresh = new Set(parts.filter((part) => !this.making.has(part)));
    if (fresh.size > 0) this.remember([...fresh], this.make(stepsOf(fresh)));
    const made = await Promise.all(parts.flatMap((part) => this.making.get(part) ?? []));
    const settledAt = Math.max(...made.map((each) => each.settledAt));
    return {
      wasCreated: made.some((each) => each.wasCreated),
      settleMs: Math.max(0, settledAt - Date.now()),
    };
  }

  /** Makes those anew that are gone. @throws as `prepare` */
  async repair(): Promise<void> {
    if ((await missingQueues(this.queues(), this.deps.connection)).length === 0) return;
    const stepsMs = [...this.knownStepsMs];
    const made = this.make(stepsMs);
    this.remember(['due', ...stepsMs], made);
    await made;
  }

  /** As `problemOfRetries`. */
  async problem(): Promise<string | undefined> {
    return this.isKnown ? problemOfRetries(this.target(), this.deps) : undefined;
  }

  /** Ready messages in all of them; undefined before they were made, and when one of them cannot be read. */
  async waitingMessages(): Promise<number | undefined> {
    if (!this.isKnown) return undefined;
    const readings = await Promise.all(
      this.queues().map(({ name }) => this.deps.connection.inspectQueue(name).catch(() => undefined)),
    );
    const counts = readings.flatMap((reading) => reading?.readyMessages ?? []);
    return counts.length === readings.length ? counts.reduce((sum, count) => sum + count, 0) : undefined;
  }

  private remember(parts: readonly Part[], made: Promise<Made>): void {
    for (const part of parts) this.making.set(part, made);
    made.catch(() => {
      for (const part of parts) if (this.making.get(part) === made) this.making.delete(part);
    });
  }

  private async make(stepsMs: readonly number[]): Promise<Made> {
    const target = { queue: this.queue, stepsMs };
    const lookedAt = Date.now();
    const { wasCreated } = await ensureRetryQueues(target, this.deps);
    this.isKnown = true;
    for (const stepMs of stepsMs) this.knownStepsMs.add(stepMs);
    if (wasCreated) return { wasCreated, settledAt: Date.now() + NEWBORN_QUEUE_MS };
    return { wasCreated, settledAt: (await this.mayBeNewborn(target)) ? lookedAt + NEWBORN_QUEUE_MS : 0 };
  }

  /** An empty queue may have been created a moment ago by another process of ours; one with messages was not. */
  private async mayBeNewborn(target: RetryTarget): Promise<boolean> {
    for (const { name } of retryQueuesOf(target)) {
      const reading = await this.deps.connection.inspectQueue(name);
      if (reading?.readyMessages === 0) return true;
    }
    return false;
  }

  private queues(): ReturnType<typeof retryQueuesOf> {
    return this.isKnown ? retryQueuesOf(this.target()) : [];
  }

  private target(): RetryTarget {
    return { queue: this.queue, stepsMs: [...this.knownStepsMs] };
  }
}

type Part = 'due' | number;

interface Made {
  readonly wasCreated: boolean;
  /** From when on they may be published to, milliseconds since the epoch. */
  readonly settledAt: number;
}

function stepsOf(parts: Iterable<Part>): number[] {
  return [...parts].filter((part) => part !== 'due');
}
