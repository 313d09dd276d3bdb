import { randomUUID } from 'node:crypto';
import type { BrokerConnection } from '../broker/broker.port.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { withinDeadline } from '../timing/within-deadline.js';
import { readLog } from './log-reading.js';
import { PlanAppender, type PlanChange } from './plan-appender.js';
import type { PlacedEntry, Verdict } from './plan-fold.js';
import { PlanFollower } from './plan-follower.js';
import { PlanInForce, type PlanStore } from './plan-in-force.js';
import { PlanUnavailableError } from './plan-unavailable.error.js';

export interface PlanLogOptions {
  /** @default 'spillway.plan' */
  readonly stream?: string;
  /** Without one, a process that starts while the broker is away has no plan. */
  readonly cache?: PlanStore;
  /** How long an append may take, the wait for the broker and all repeats included, milliseconds. @default 10_000 */
  readonly appendTimeoutMs?: number;
  readonly newId?: () => string;
  /** Ms since epoch. */
  readonly now?: () => number;
  /** [0, 1) */
  readonly random?: () => number;
}

const HISTORY_TIMEOUT_MS = 10_000;

/**
 * The plan of one vhost: all overrides that operators have set, as a log of their changes that every process reads.
 * What stands in the log beats what a process knew; an empty log beats nothing (see `succession`).
 *
 * n.b. an entry that is forged by hand, based on one that never was valid, is ignored by all who follow, but may deceive
 * who starts right after it, until that starts again after the next valid change.
 */
export class PlanLog {
  private readonly stream: string;
  private readonly inForce: PlanInForce;
  private readonly appender: PlanAppender;
  private readonly follower: PlanFollower;
  private readonly closing = new AbortController();

  constructor(
    private readonly connection: BrokerConnection,
    telemetry: Telemetry,
    options: PlanLogOptions = {},
  ) {
    const { stream = 'spillway.plan', newId = randomUUID, now = Date.now } = options;
    const { random = Math.random, appendTimeoutMs = 10_000 } = options;
    this.stream = stream;
    this.inForce = new PlanInForce(stream, telemetry, options.cache);
    const appending = { stream, appendTimeoutMs, newId, now, random };
    this.appender = new PlanAppender(connection, this.inForce, appending);
    const followed = { inForce: this.inForce, appender: this.appender };
    this.follower = new PlanFollower(connection, telemetry, { stream, newId }, followed);
  }

  /** The plan in force, by the cache until the log was read. Undefined: nobody has overridden anything, that we know of. */
  get current(): PlacedEntry | undefined {
    return this.inForce.current;
  }

  /** Called with each plan that comes into force, but not with each in between after time away. @returns how to stop it */
  onChange(listener: (plan: PlacedEntry) => void): () => void {
    return this.inForce.onChange(listener);
  }

  /**
   * Resolves when the log was read and `current` is what it says; to be called once. Rejects when the signal aborts:
   * reading goes on even so, with the plan of the cache in force meanwhile, until `close`.
   */
  async start(signal?: AbortSignal): Promise<void> {
    await this.inForce.restore();
    void this.follower.run();
    const { signal: closed } = this.closing;
    await unlessAborted(this.inForce.whenFollowing(), signal ? AbortSignal.any([signal, closed]) : closed);
  }

  /**
   * Resolves when the change is in the log as a valid entry, so that every process will take it. Another change that
   * came first is no failure: `apply` is called again.
   * @throws PlanConflictError, PlanUnavailableError, PlanOutcomeUnknownError, PlanInvalidError, what `apply` throws
   */
  append(change: PlanChange): Promise<PlacedEntry> {
    return this.appender.append(change);
  }

  /**
   * The valid entries, newest first. Reads the whole log for it.
   * @throws PlanUnavailableError
   */
  async history(limit: number): Promise<PlacedEntry[]> {
    const fold = await withinDeadline(this.inForce.whenFollowing(), HISTORY_TIMEOUT_MS, undefined);
    if (!fold) throw new PlanUnavailableError(`${this.stream}: not read within ${HISTORY_TIMEOUT_MS} ms`);
    if (fold.newestOffset < 0) return [];
    try {
      return await this.readHistory(limit, fold.newestOffset);
    } catch (cause) {
      throw new PlanUnavailableError(`${this.stream}: the history could not be read`, { cause });
    }
  }

  /** Appends that wait fail; the connection stays open. Resolves when the cache is written. */
  async close(): Promise<void> {
    this.closing.abort(new Error('the plan log was closed'));
    this.appender.close();
    this.follower.close();
    await this.inForce.saved();
  }

  private async readHistory(limit: number, offset: number): Promise<PlacedEntry[]> {
    const history: PlacedEntry[] = [];
    const onVerdict = (verdict: Verdict): void => {
      if (verdict.kind !== 'valid') return;
      if (verdict.isAnchor) history.length = 0;
      history.push(verdict.placed);
      if (history.length > limit) history.shift();
    };
    const { stream } = this;
    const { signal } = this.closing;
    const options = { stream, from: 'first', target: { offset }, signal, onVerdict } as const;
    const { reader } = await readLog(this.connection, options);
    reader.close();
    return history.reverse();
  }
}

/** Rejects with the signal's reason; the promise itself goes on. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
