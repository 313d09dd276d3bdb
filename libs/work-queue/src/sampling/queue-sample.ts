import type { RefusalReason } from '../errors/work-queue.error.js';
import type { JobEnd } from '../telemetry/telemetry.js';
import type { TimeCounts } from './time-counts.js';

/** Why a publish was refused, where that is known to be so; `other` is a reason this version does not know. */
export type CountedReason = Exclude<RefusalReason, 'unknown'> | 'other';

/** Whether it is work that we shed for want of room, or a mistake in what was published or deployed. */
const IS_SHED: Readonly<Record<CountedReason, boolean>> = {
  'queue-full': true,
  'no-workers': true,
  'gateway-busy': true,
  'broker-unavailable': true,
  'broker-alarm': true,
  unroutable: false,
  'too-large': false,
  'invalid-message': false,
  conflict: false,
  other: false,
};

const ENDS: Readonly<Record<JobEnd, true>> = {
  succeeded: true,
  dropped: true,
  retried: true,
  deferred: true,
  'dead-lettered': true,
  expired: true,
  'set-aside': true,
  returned: true,
  lost: true,
};

/**
 * `service` is of work that succeeded, `failedService` of any other end of a handler: fast failures would make the
 * service time look shorter. `wait` is from the publish to the first attempt.
 */
export const TIME_KINDS = ['service', 'failedService', 'wait'] as const;
export type TimeKind = (typeof TIME_KINDS)[number];

/** What happened to one queue in a stretch of time, as one process saw it, or several together. */
export interface QueueSample extends Readonly<Record<TimeKind, TimeCounts>> {
  readonly queue: string;
  /** Milliseconds since 1970, by the clock of the process that measured. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Publishes that were confirmed. */
  readonly accepted: number;
  /** Publishes of which nobody can say whether they are stored. */
  readonly unknown: number;
  readonly refused: Readonly<Partial<Record<CountedReason, number>>>;
  /** Deliveries that were settled. */
  readonly ends: Readonly<Partial<Record<JobEnd, number>>>;
}

/** All that somebody wanted to publish, however it ended. */
export function offeredIn({ accepted, unknown, refused }: QueueSample): number {
  return accepted + unknown + sum(Object.values(refused));
}

/** What was refused for want of room, by reason; what was wrong with a message itself is left out. */
export function shedIn({ refused }: QueueSample): Readonly<Record<string, number>> {
  const shed: Record<string, number> = {};
  for (const reason of COUNTED_REASONS) {
    const count = refused[reason] ?? 0;
    if (IS_SHED[reason] && count > 0) shed[reason] = count;
  }
  return shed;
}

export function countedReason(reason: string): CountedReason {
  return COUNTED_REASONS.find((known) => known === reason) ?? 'other';
}

export const COUNTED_REASONS = namesOf(IS_SHED);
export const JOB_ENDS = namesOf(ENDS);

function namesOf<Name extends string>(table: Readonly<Record<Name, unknown>>): readonly Name[] {
  return Object.keys(table).filter((name): name is Name => name in table);
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
