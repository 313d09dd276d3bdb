import { Attempt, AttemptTimeout } from './attempt.js';

export interface AttemptLimits {
  /** For messages, such as `Orders.take`. */
  readonly label: string;
  /** After it an attempt's signal aborts. */
  readonly timeoutMs: number;
  /** How long an attempt may go on after that before it counts as stuck. */
  readonly graceMs: number;
}

/**
 * The attempts of one handler that run now, with their time limits. They all have the same, so the oldest is the
 * first to pass it and one timer does for all.
 *
 * JavaScript cannot stop a function: an attempt past its timeout runs on, and keeps its place, until its promise
 * settles. One that does not even after the grace period is told of, since only the end of the process frees it.
 */
export class RunningAttempts {
  private readonly inTime = new Set<Attempt>();
  private readonly late = new Set<Attempt>();
  private readonly stuck = new Set<Attempt>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly limits: AttemptLimits,
    private readonly onStuck: (attempt: Attempt) => void,
    private readonly onLate: (attempt: Attempt) => void = () => undefined,
  ) {}

  /** Attempts past their timeout and the grace period. */
  get stuckCount(): number {
    return this.stuck.size;
  }

  begin(messageIds: readonly string[]): Attempt {
    const attempt = new Attempt(messageIds, performance.now());
    this.inTime.add(attempt);
    // A timer that runs without any in time is for the late ones, whose grace may end after this one's timeout.
    if (this.inTime.size === 1) this.wakeForNext(attempt.startedAt);
    return attempt;
  }

  end(attempt: Attempt): void {
    if (!this.inTime.delete(attempt) && !this.late.delete(attempt)) this.stuck.delete(attempt);
    if (this.inTime.size === 0 && this.late.size === 0) clearTimeout(this.timer);
  }

  /** Aborts every signal: the process must end, and is not to be kept from it by a time limit. */
  abandon(reason: unknown): void {
    clearTimeout(this.timer);
    for (const attempts of [this.inTime, this.late, this.stuck]) {
      for (const attempt of attempts) attempt.abort(reason);
    }
  }

  private wakeForNext(now: number): void {
    const { timeoutMs, graceMs } = this.limits;
    clearTimeout(this.timer);
    const next = Math.min(dueAt(this.inTime, timeoutMs), dueAt(this.late, timeoutMs + graceMs));
    if (next === Number.POSITIVE_INFINITY) return;
    this.timer = setTimeout(() => this.look(), Math.max(1, Math.ceil(next - now)));
  }

  private look(): void {
    const now = performance.now();
    const { label, timeoutMs, graceMs } = this.limits;
    for (const attempt of overdue(this.inTime, now - timeoutMs)) {
      this.inTime.delete(attempt);
      this.late.add(attempt);
      attempt.abort(new AttemptTimeout(label, timeoutMs));
      this.onLate(attempt);
    }
    for (const attempt of overdue(this.late, now - timeoutMs - graceMs)) {
      this.late.delete(attempt);
      this.stuck.add(attempt);
      this.onStuck(attempt);
    }
    this.wakeForNext(now);
  }
}

/** They stand in the order they began. */
function overdue(attempts: ReadonlySet<Attempt>, startedBefore: number): Attempt[] {
  const found: Attempt[] = [];
  for (const attempt of attempts) {
    if (attempt.startedAt > startedBefore) break;
    found.push(attempt);
  }
  return found;
}

function dueAt(attempts: ReadonlySet<Attempt>, limitMs: number): number {
  for (const { startedAt } of attempts) return startedAt + limitMs;
  return Number.POSITIVE_INFINITY;
}
