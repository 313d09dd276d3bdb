import { randomUUID } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setInterval } from 'node:timers/promises';
import { PublishRefusedError } from '../../libs/work-queue/src/errors/publish-refused.error.js';
import type { WorkQueue } from '@spillway/work-queue';

/** One publish, as its caller saw it. */
export interface Attempt {
  readonly id: string;
  /** `accepted`, or the reason of the refusal. */
  readonly outcome: string;
  readonly startedAt: number;
  readonly tookMs: number;
}

/** What became of many publishes: stored for sure, not stored for sure, and nobody knows. */
export interface Tally {
  readonly accepted: number;
  readonly shed: number;
  readonly unknown: number;
}

const TRY_EVERY_MS = 20;

/** Publishes to one queue, writes down how each publish ended, and compares that with what is in the queue. */
export class Ledger {
  readonly attempts: Attempt[] = [];
  /** The longest that this process was kept from running, while `publishMany` ran last: no answer can be sooner. */
  stalledMs = 0;

  constructor(private readonly queue: WorkQueue) {}

  /** Never rejects for a refusal; rejects for whatever else is thrown, which no publish may. */
  async publish(id: string = randomUUID()): Promise<Attempt> {
    const startedAt = performance.now();
    const outcome = await this.outcomeOf(id);
    const attempt = { id, outcome, startedAt, tookMs: performance.now() - startedAt };
    this.attempts.push(attempt);
    return attempt;
  }

  /** @param inParallel publishes that wait for their answer at a time; by default all of them */
  async publishMany(count: number, inParallel: number = count): Promise<Attempt[]> {
    const attempts: Attempt[] = [];
    let left = count;
    const lane = async (): Promise<void> => {
      while (left-- > 0) attempts.push(await this.publish());
    };
    const stalls = monitorEventLoopDelay({ resolution: 5 });
    stalls.enable();
    await Promise.all(Array.from({ length: inParallel }, lane));
    stalls.disable();
    this.stalledMs = stalls.max / 1e6;
    return attempts;
  }

  /** One patient client: a new message every 20 ms, each after the answer to the last one, `count` of them. */
  async keepTrying(count: number): Promise<Attempt[]> {
    const attempts: Attempt[] = [];
    for await (const _ of setInterval(TRY_EVERY_MS)) {
      if (attempts.push(await this.publish()) >= count) break;
    }
    return attempts;
  }

  /** The same client until it gets this answer; resolves with the milliseconds that took. */
  async answeredAfterMs(outcome: string, withinMs: number): Promise<number> {
    const startedAt = performance.now();
    for (;;) {
      const [attempt] = await this.keepTrying(1);
      const passedMs = performance.now() - startedAt;
      if (attempt?.outcome === outcome) return passedMs;
      if (passedMs > withinMs) {
        throw new Error(`nothing ${outcome} within ${withinMs} ms, last answer: ${attempt?.outcome}`);
      }
    }
  }

  /** The ids of everything that ended so. */
  idsOf(outcome: string): string[] {
    return this.attempts.filter((attempt) => attempt.outcome === outcome).map(({ id }) => id);
  }

  tally(): Tally {
    const accepted = this.idsOf('accepted').length;
    const unknown = this.idsOf('unknown').length;
    return { accepted, shed: this.attempts.length - accepted - unknown, unknown };
  }

  /** See the function of this name. */
  differences(idsInQueue: readonly string[]): string[] {
    return differences(this.attempts, idsInQueue);
  }

  private async outcomeOf(id: string): Promise<string> {
    try {
      await this.queue.publish({ id }, { messageId: id });
      return 'accepted';
    } catch (error) {
      if (error instanceof PublishRefusedError) return error.reason;
      throw error;
    }
  }
}

/**
 * What is wrong with the queue's content, in words: what was accepted must be there once, what was shed not at all,
 * what is unknown at most once, and nothing else.
 */
export function differences(attempts: readonly Attempt[], idsInQueue: readonly string[]): string[] {
  const times = new Map<string, number>();
  for (const id of idsInQueue) times.set(id, (times.get(id) ?? 0) + 1);
  const wrong: string[] = [];
  for (const { id, outcome } of attempts) {
    const count = times.get(id) ?? 0;
    times.delete(id);
    if (!isRight(outcome, count)) wrong.push(`${outcome}, and in the queue ${count} times: ${id}`);
  }
  return [...wrong, ...[...times.keys()].map((id) => `never published: ${id}`)];
}

/** How often each outcome came. */
export function outcomesOf(attempts: readonly Attempt[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { outcome } of attempts) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** 99 of 100 callers had their answer within it. */
export function p99Ms(attempts: readonly Attempt[]): number {
  const sorted = attempts.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  const value = sorted[Math.ceil(sorted.length * 0.99) - 1];
  if (value === undefined) throw new Error('nothing was published');
  return value;
}

function isRight(outcome: string, count: number): boolean {
  if (outcome === 'accepted') return count === 1;
  return outcome === 'unknown' ? count <= 1 : count === 0;
}
