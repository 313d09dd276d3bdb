import type { AlertKind } from './alert.js';

export interface Patience {
  /** How long the condition must hold; 0: at once. */
  readonly raiseAfterMs: number;
  /** How long it must be clearly over. */
  readonly clearAfterMs: number;
}

/** How long each kind waits, so that what people are told is worth their time. */
export const PATIENCE: Readonly<Record<AlertKind, Patience>> = {
  // A burst that the workers absorb is over sooner. After one that they did not, a pause between two bursts is not the end.
  'queue-filling': { raiseAfterMs: 10_000, clearAfterMs: 30_000 },
  // Its window of 60 s has smoothed it already; this keeps out one that grazes the promise.
  'promise-broken': { raiseAfterMs: 10_000, clearAfterMs: 30_000 },
  // A cold start or a slow minute downstream is no reason to edit a file.
  'service-time-off': { raiseAfterMs: 60_000, clearAfterMs: 60_000 },
  // Clients are being refused: nobody wants to hear of it later. Its window of 10 s and these 20 s are 30 s without.
  shedding: { raiseAfterMs: 0, clearAfterMs: 20_000 },
  // A consumer that subscribes anew, or the last worker being replaced, leaves the queue alone for a moment only.
  'no-workers': { raiseAfterMs: 5_000, clearAfterMs: 10_000 },
  // Confirmed work may be dropped from now on. The broker's answers lag behind a repair by up to 8 s.
  'overflow-wrong': { raiseAfterMs: 0, clearAfterMs: 10_000 },
};

/** A look that comes later than this after the one before knows nothing of the time between: what held begins anew. */
export const MAX_LOOK_GAP_MS = 15_000;

/** What comes back this soon after it was cleared flaps: each time it has to be gone twice as long. */
export const FLAPS_WITHIN_MS = 600_000;

/** The longest that anything has to be gone: later nobody would connect the news with what happened. */
export const MAX_CLEAR_AFTER_MS = 600_000;

/** Marks are left only below this share of them, so that noise around a mark is neither its end nor its return. */
export const LOW_MARK = 0.9;

export const MARKS = {
  /** The 99th percentile of fewer is the slowest one or two. */
  minWaits: 100,
  /** Past 1.5 times what it was sized for, a full queue waits that much longer than promised; under half of it, half of the queue is missing. */
  serviceTimeOff: { below: 0.5, above: 1.5 },
  /** Well inside the former. */
  serviceTimeFits: { from: 0.6, to: 1.4 },
  /** Fewer say nothing, however alike they are. */
  minServiceTimes: 30,
  /** Standard error / mean: what is off by half must not be so by chance. */
  maxServiceTimeError: 0.1,
  /** Where the usual error budget of 99 % is gone. */
  shedShare: 0.01,
  /** In 10 s; on a busy queue as many clients were refused long before the share says so. */
  shedCount: 100,
} as const;
