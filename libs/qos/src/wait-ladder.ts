import { backoffMs, ceilingMs, type Backoff, type BackoffInput } from './backoff.js';
import { MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND } from './duration.js';

const LAST_STEP_MS = 24 * MS_PER_HOUR;

/**
 * The waits there are between two attempts, ascending. The time to live of a queue ends waits at its head only,
 * so different waits cannot share a queue: each step is a queue, and other waits are rounded up to one.
 */
export const WAIT_STEPS_MS: readonly number[] = [
  100,
  200,
  500,
  ...[1, 2, 5, 10, 30].map((seconds) => seconds * MS_PER_SECOND),
  ...[1, 2, 5, 10, 30].map((minutes) => minutes * MS_PER_MINUTE),
  ...[1, 2, 6, 12].map((hours) => hours * MS_PER_HOUR),
  LAST_STEP_MS,
];

/** The first step that waits at least so long; the last one for anything longer. */
export function waitStepMs(delayMs: number): number {
  return WAIT_STEPS_MS.find((stepMs) => stepMs >= delayMs) ?? LAST_STEP_MS;
}

/**
 * The steps between the shortest and the longest wait of a backoff, ascending, at least one. A multiplier above
 * 2 may leave some of them out; {@link retryStepMs} gives no other.
 */
export function waitStepsOf(backoff: Backoff): number[] {
  const shortestMs = stepAboveHalfOf(ceilingMs({ ...backoff, attempt: 1 }));
  const longestMs = waitStepMs(backoff.multiplier === 1 ? backoff.initialMs : backoff.maxMs);
  return WAIT_STEPS_MS.filter((stepMs) => stepMs >= shortestMs && stepMs <= longestMs);
}

/**
 * The step on which a message waits for its next attempt: {@link backoffMs}, rounded up, but always more than
 * half of the ceiling. Exactly half is one draw among thousands, and not worth a queue for an `initialMs` that
 * is twice a step.
 *
 * A step between half of the ceiling and the ceiling is a choice, made by the jitter: that step or the next one.
 * There is never more than one, as each step is at least twice the one before.
 *
 * @param random a number in [0, 1), drawn by the caller
 * @returns one of {@link waitStepsOf}
 */
export function retryStepMs(input: BackoffInput, random: number): number {
  return Math.max(stepAboveHalfOf(ceilingMs(input)), waitStepMs(backoffMs(input, random)));
}

function stepAboveHalfOf(durationMs: number): number {
  return WAIT_STEPS_MS.find((stepMs) => stepMs > durationMs / 2) ?? LAST_STEP_MS;
}
