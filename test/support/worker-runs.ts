import { setTimeout as delay } from 'node:timers/promises';

/** A little below the time jest gives a test, so that the failure says what is missing. */
const WITHIN_MS = 25_000;

/** One call of a handler for one message. */
interface Run {
  readonly id: string;
  /** As the handler was told; counts from 1. */
  readonly attempt: number;
  readonly isRedelivered: boolean;
  /** `performance.now()` */
  readonly startedAt: number;
  /** Handlers that ran at that moment, this one included. */
  readonly running: number;
}

/** What a handler did: each start, each success, and how many ran at once. Handlers write, tests read and wait. */
export class Runs {
  readonly started: Run[] = [];
  /** The ids of the runs that returned, in order. */
  readonly succeeded: string[] = [];
  running = 0;
  /** Starts beyond the bound of that moment, in words. */
  readonly excesses: string[] = [];
  /** Handlers that may run from now on. */
  bound = Number.POSITIVE_INFINITY;
  private readonly waiters = new Set<() => void>();

  /** Most that ran at once. */
  get mostRunning(): number {
    return Math.max(0, ...this.started.map(({ running }) => running));
  }

  /** Writes down one call around what it does. */
  async during<T>(run: Pick<Run, 'id' | 'attempt' | 'isRedelivered'>, work: () => Promise<T>): Promise<T> {
    const running = ++this.running;
    if (running > this.bound) this.excesses.push(`${running} ran where ${this.bound} may`);
    this.started.push({ ...run, startedAt: performance.now(), running });
    this.changed();
    try {
      const result = await work();
      this.succeeded.push(run.id);
      return result;
    } finally {
      this.running--;
      this.changed();
    }
  }

  /** Ids that succeeded another number of times than once, in words; ids that never did included. */
  notOnce(ids: readonly string[]): string[] {
    const times = countsOf(this.succeeded);
    return ids.filter((id) => times.get(id) !== 1).map((id) => `${id}: ${times.get(id) ?? 0} times`);
  }

  startsOf(id: string): Run[] {
    return this.started.filter((run) => run.id === id);
  }

  async untilStarted(count: number, withinMs?: number): Promise<void> {
    await this.until(() => this.started.length >= count, `${count} starts`, withinMs);
  }

  async untilSucceeded(count: number, withinMs?: number): Promise<void> {
    await this.until(() => this.succeeded.length >= count, `${count} successes`, withinMs);
  }

  async untilRunning(count: number, withinMs?: number): Promise<void> {
    await this.until(() => this.running === count, `${count} running`, withinMs);
  }

  /** Looks again at each start and each end. */
  private async until(holds: () => boolean, wanted: string, withinMs = WITHIN_MS): Promise<void> {
    const late = new AbortController();
    const deadline = delay(withinMs, undefined, { signal: late.signal }).then(
      () => this.fail(wanted, withinMs),
      () => undefined,
    );
    while (!holds()) await Promise.race([this.nextChange(), deadline]);
    late.abort();
  }

  private fail(wanted: string, withinMs: number): never {
    throw new Error(
      `no ${wanted} within ${withinMs} ms: ${this.started.length} started, ${this.succeeded.length} succeeded, ${this.running} running`,
    );
  }

  private nextChange(): Promise<void> {
    return new Promise((resolve) => this.waiters.add(resolve));
  }

  private changed(): void {
    const waiters = [...this.waiters];
    this.waiters.clear();
    for (const wake of waiters) wake();
  }
}

/** How often each stands in the list. */
function countsOf(ids: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}
