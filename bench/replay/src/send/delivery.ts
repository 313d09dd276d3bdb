import type { Payload } from '../payloads/example-payloads.js';
import type { AttemptOutcome } from './attempt-outcome.js';

/** How a delivery stands after its attempts so far. */
export type Standing = { kind: 'accepted' } | { kind: 'rejected' | 'unknown'; reason: string };

/** One webhook with one id, over all its attempts. */
export interface Delivery {
  readonly id: string;
  readonly payload: Payload;
  readonly plannedAtMs: number;
  attempts: number;
  /** Undefined until the first attempt has ended. */
  standing: Standing | undefined;
}

/** A delivery that is due, for the first time or again. */
export interface DueAttempt {
  readonly delivery: Delivery;
  readonly dueAtMs: number;
}

/**
 * Accepted wins over everything. Unknown stays unknown when a later attempt is refused,
 * because the earlier one may have been stored. Otherwise the latest outcome counts.
 */
export function foldStanding(before: Standing | undefined, outcome: AttemptOutcome): Standing {
  if (outcome.kind === 'accepted') return { kind: 'accepted' };
  if (before?.kind === 'unknown') return before;
  return { kind: outcome.kind, reason: outcome.reason };
}
