import { setTimeout as delay } from 'node:timers/promises';
import type { BrokerConnection } from '../broker/broker.port.js';
import { withinDeadline } from '../timing/within-deadline.js';
import { decodeRecord, encodeEntry, type PlanEntry, type PlanOverrides } from './plan-entry.js';
import type { PlacedEntry, Verdict } from './plan-fold.js';
import type { PlanInForce } from './plan-in-force.js';
import { PlanConflictError } from './plan-conflict.error.js';
import { PlanInvalidError } from './plan-invalid.error.js';
import { PlanOutcomeUnknownError } from './plan-outcome-unknown.error.js';
import { PlanUnavailableError } from './plan-unavailable.error.js';
import { type AttemptEnd, PendingAppend } from './pending-append.js';
import { appendToStream } from './stream-append.js';

/** A change of the plan, and who wants it. */
export interface PlanChange {
  readonly author: string;
  readonly reason: string;
  /** What is set or cleared, in words. */
  readonly change: string;
  /** Called again when another change came first, with what that made of the overrides. What it throws ends the append. */
  apply(current: PlanOverrides): PlanOverrides;
}

export interface PlanAppenderOptions {
  readonly stream: string;
  /** How long an append may take in all, milliseconds. */
  readonly appendTimeoutMs: number;
  readonly newId: () => string;
  /** Ms since epoch. */
  readonly now: () => number;
  /** Of the wait after a lost race, [0, 1). */
  readonly random: () => number;
}

const MAX_ATTEMPTS = 20;
const PAUSE_INITIAL_MS = 20;
const PAUSE_MAX_MS = 640;
const CLOSED: AttemptEnd = { kind: 'late' };

/**
 * Appends changes: each attempt is based on the plan as it is then, and counts if it is read back as the first one that
 * is. All attempts of one change carry one id. That makes it safe to repeat one whose confirm was lost: of two with the
 * same base only one can win, and one whose base was replaced never can.
 */
export class PlanAppender {
  private readonly pending = new Map<string, PendingAppend>();
  private readonly closing = new AbortController();

  constructor(
    private readonly connection: BrokerConnection,
    private readonly inForce: Pick<PlanInForce, 'overrides' | 'whenFollowing'>,
    private readonly options: PlanAppenderOptions,
  ) {}

  /** The offset that has to be read again to tell what became of a change; undefined when nobody waits for one. */
  get neededFrom(): number | undefined {
    const bases = [...this.pending.values()].flatMap(({ earliestBase }) => earliestBase ?? []);
    return bases.length > 0 ? Math.min(...bases) : undefined;
  }

  /** For certain, and in the order of the log; again after each time the log was lost. */
  judged(verdict: Verdict): void {
    if (verdict.kind !== 'valid' && verdict.kind !== 'loser') return;
    const { placed } = verdict;
    const pending = this.pending.get(placed.entry.id);
    if (verdict.kind === 'valid') pending?.win(placed);
    else pending?.lose(placed.entry.basedOn);
  }

  /** The log was lost, and read again to its end. */
  reread(): void {
    for (const pending of this.pending.values()) pending.reread();
  }

  /** @throws PlanConflictError, PlanUnavailableError, PlanOutcomeUnknownError, PlanInvalidError, what `apply` throws */
  async append(change: PlanChange): Promise<PlacedEntry> {
    const pending = this.begin();
    try {
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        const end = await this.attempt(pending, change);
        if (end.kind === 'won') return await this.inForceNow(end.placed, pending);
        if (end.kind === 'late') throw this.tooLate(pending);
        await this.pause(attempt);
      }
      throw this.tooOften(pending);
    } finally {
      this.pending.delete(pending.id);
    }
  }

  /** Ends every append that waits. */
  close(): void {
    this.closing.abort();
    for (const pending of this.pending.values()) pending.end(CLOSED);
  }

  private get isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  private begin(): PendingAppend {
    const { newId, appendTimeoutMs } = this.options;
    const pending = new PendingAppend(newId(), performance.now() + appendTimeoutMs);
    this.pending.set(pending.id, pending);
    return pending;
  }

  private async attempt(pending: PendingAppend, change: PlanChange): Promise<AttemptEnd> {
    if (this.isClosed) return CLOSED;
    const ended = pending.begin();
    const following = Promise.race([this.inForce.whenFollowing(), ended.then(() => undefined)]);
    const fold = await withinDeadline(following, pending.leftMs, undefined);
    if (pending.won) return { kind: 'won', placed: pending.won };
    if (!fold) return CLOSED;
    void this.send(pending, this.entryOn(fold.current, pending.id, change));
    return withinDeadline(ended, pending.leftMs, CLOSED);
  }

  /** Read back while the log was read again, it comes into force here once that is done. */
  private async inForceNow(placed: PlacedEntry, pending: PendingAppend): Promise<PlacedEntry> {
    await withinDeadline(this.inForce.whenFollowing(), pending.leftMs, undefined);
    return placed;
  }

  private async send(pending: PendingAppend, entry: PlanEntry): Promise<void> {
    const answered = pending.send(entry.basedOn);
    const { stream } = this.options;
    const { signal } = this.closing;
    const append = {
      stream,
      body: encodeEntry(entry),
      messageId: entry.id,
      signal,
      timeoutMs: pending.leftMs,
    };
    answered(await appendToStream(this.connection, append));
  }

  private entryOn(base: PlacedEntry | undefined, id: string, change: PlanChange): PlanEntry {
    const { newId, now } = this.options;
    const entry: PlanEntry = {
      id,
      logId: base?.entry.logId ?? newId(),
      basedOn: base?.offset ?? -1,
      author: change.author,
      reason: change.reason,
      at: now(),
      change: change.change,
      overrides: change.apply(this.inForce.overrides),
    };
    const record = decodeRecord(encodeEntry(entry));
    if (record.kind === 'malformed') {
      throw new PlanInvalidError(`the change of the plan cannot be written: ${record.reason}`);
    }
    return entry;
  }

  /** Those that lost the same race must not meet in the next one too. */
  private async pause(attempt: number): Promise<void> {
    const ceilingMs = Math.min(PAUSE_MAX_MS, PAUSE_INITIAL_MS * 2 ** attempt);
    const { signal } = this.closing;
    await delay(this.options.random() * ceilingMs, undefined, { signal }).catch(() => undefined);
  }

  private tooLate({ id, isUndecided }: PendingAppend): Error {
    const { stream, appendTimeoutMs } = this.options;
    const what = this.isClosed
      ? 'the plan log was closed'
      : `there was no answer within ${appendTimeoutMs} ms`;
    if (isUndecided) return unknown(`${stream}: ${what}`, id);
    return new PlanUnavailableError(`${stream}: ${what}; nothing was changed`);
  }

  private tooOften({ id, isUndecided }: PendingAppend): Error {
    const what = `${this.options.stream}: ${MAX_ATTEMPTS} attempts did not succeed`;
    if (isUndecided) return unknown(what, id);
    return new PlanConflictError(
      `${what}, since other changes came first or the broker refused; nothing was changed`,
    );
  }
}

function unknown(what: string, id: string): PlanOutcomeUnknownError {
  return new PlanOutcomeUnknownError(
    `${what}; the change ${id} was sent and may be in force or come into force yet: look for it in the history`,
  );
}
