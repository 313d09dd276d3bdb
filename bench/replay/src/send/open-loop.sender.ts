import type { AttemptOutcome } from './attempt-outcome.js';
import { type DueAttempt, foldStanding } from './delivery.js';
import { Fifo } from './fifo.js';
import { decideRetry } from './retry-decision.js';
import { RetryQueue } from './retry-queue.js';
import type { SenderOptions, SendPhase } from './sender.options.js';

const NEVER = Number.POSITIVE_INFINITY;

/**
 * Sends by the plan, never by the answers:
 *
 *   planned --due--> waiting --free connection--> in flight --outcome--> ended
 *                       ^                                       | refused or unknown
 *                       +--due-- retries <----------------------+
 *
 * All times count from the moment `run` is called. At `endsAtMs + graceMs`, or when stopped, it closes:
 * nothing new goes out, what waits is ended as it stands, what is in flight is awaited (bounded by its timeout).
 */
export class OpenLoopSender {
  private readonly waiting = new Fifo<DueAttempt>();
  private readonly retries = new RetryQueue();
  private readonly closesAtMs: number;
  private stop = new AbortController().signal;
  private startedAtMs = 0;
  private nextPlanned = 0;
  private inFlight = 0;
  private isClosed = false;
  private timer: NodeJS.Timeout | undefined;
  private finish: () => void = () => undefined;

  constructor(private readonly options: SenderOptions) {
    this.closesAtMs = options.plan.endsAtMs + options.graceMs;
  }

  /** Resolves when every delivery has ended. May be called once; aborting the signal closes early. */
  async run(stop: AbortSignal): Promise<SendPhase> {
    const step = (): void => this.step();
    this.startedAtMs = this.options.clock.nowMs();
    this.stop = stop;
    const finished = new Promise<void>((resolve) => (this.finish = resolve));
    stop.addEventListener('abort', step);
    step();
    await finished;
    stop.removeEventListener('abort', step);
    const elapsedMs = this.elapsedMs();
    const durationMs = stop.aborted ? elapsedMs : Math.max(elapsedMs, this.options.plan.endsAtMs);
    return { startedAtMs: this.startedAtMs, durationMs };
  }

  private step(): void {
    const nowMs = this.elapsedMs();
    this.isClosed ||= this.stop.aborted;
    if (!this.isClosed) {
      this.takeDue(nowMs);
      this.launchWaiting();
    }
    this.isClosed ||= nowMs >= this.closesAtMs;
    if (this.isClosed) this.endWaiting();
    this.armTimer();
    if (this.nextEventAtMs === NEVER && this.inFlight === 0) this.finish();
  }

  private takeDue(nowMs: number): void {
    const { createDelivery, ledger } = this.options;
    while (this.nextPlannedAtMs <= nowMs) {
      const plannedAtMs = this.nextPlannedAtMs;
      ledger.lateness.recordMs(nowMs - plannedAtMs);
      this.waiting.push({ delivery: createDelivery(this.nextPlanned, plannedAtMs), dueAtMs: plannedAtMs });
      this.nextPlanned += 1;
    }
    for (let due = this.retries.popDue(nowMs); due !== undefined; due = this.retries.popDue(nowMs)) {
      this.waiting.push(due);
    }
  }

  private endWaiting(): void {
    for (const { delivery } of [...this.waiting.drain(), ...this.retries.drain()]) {
      this.options.ledger.recordEnd(delivery);
    }
  }

  private launchWaiting(): void {
    while (this.inFlight < this.options.maxConnections) {
      const attempt = this.waiting.shift();
      if (attempt === undefined) break;
      this.launch(attempt);
    }
    this.options.ledger.recordWaiting(this.waiting.size);
  }

  private launch(attempt: DueAttempt): void {
    this.inFlight += 1;
    attempt.delivery.attempts += 1;
    this.options.ledger.recordAttempt(attempt.delivery);
    void this.options.post(attempt.delivery).then((outcome) => this.settle(attempt, outcome));
  }

  private settle({ delivery, dueAtMs }: DueAttempt, outcome: AttemptOutcome): void {
    const { ledger, retry: policy } = this.options;
    const nowMs = this.elapsedMs();
    const retryUntilMs = this.isClosed ? Number.NEGATIVE_INFINITY : this.closesAtMs;
    this.inFlight -= 1;
    ledger.recordAnswer(outcome, nowMs - dueAtMs);
    delivery.standing = foldStanding(delivery.standing, outcome);
    const decision = decideRetry({ outcome, attempts: delivery.attempts, policy, nowMs, retryUntilMs });
    if (decision.kind === 'retry') this.retries.push({ delivery, dueAtMs: decision.atMs });
    else ledger.recordEnd(delivery);
    this.step();
  }

  /** Node fires no timer before its time, and whole milliseconds only: rounding up saves an early wake-up. */
  private armTimer(): void {
    clearTimeout(this.timer);
    const waitMs = this.nextEventAtMs - this.elapsedMs();
    if (waitMs === NEVER) return;
    this.timer = setTimeout(() => this.step(), Math.max(1, Math.ceil(waitMs)));
  }

  private get nextEventAtMs(): number {
    if (this.isClosed) return NEVER;
    const closesAtMs = this.waiting.size > 0 ? this.closesAtMs : NEVER;
    return Math.min(this.nextPlannedAtMs, this.retries.nextDueAtMs, closesAtMs);
  }

  private get nextPlannedAtMs(): number {
    return this.options.plan.timesMs[this.nextPlanned] ?? NEVER;
  }

  private elapsedMs(): number {
    return this.options.clock.nowMs() - this.startedAtMs;
  }
}
