import { type QueueQos, retryStepMs, waitStepMs } from '@spillway/qos';
import { DropWork } from '../errors/drop-work.error.js';
import { PermanentFailure } from '../errors/permanent-failure.error.js';
import { RetryLater } from '../errors/retry-later.error.js';
import type { Outcome } from './outcome.js';
import { InvalidPayload } from './payload-validator.js';

export interface FailedAttempt {
  readonly error: unknown;
  /** Attempts of this work that were made, the failed one included. */
  readonly attempts: number;
  /** When the work is no longer worth starting; Infinity when it always is. */
  readonly deadlineMs: number;
  /** We aborted the handler ourselves. */
  readonly isAbandoned: boolean;
}

/**
 * What a failed attempt leads to:
 *
 * | thrown                                        | outcome                                   |
 * | --------------------------------------------- | ----------------------------------------- |
 * | DropWork                                      | dropped                                   |
 * | RetryLater                                    | defer: later, and the attempt counts not  |
 * | PermanentFailure, an invalid payload          | dead at once                              |
 * | anything after we aborted it to shut down     | returned: the handler is not to blame     |
 * | anything else, `maxAttempts` reached          | dead, `failed`                            |
 * | anything else                                 | retry after its backoff                   |
 * | a later attempt would begin past the deadline | dead, `expired`                           |
 *
 * @param random a number in [0, 1), drawn by the caller
 */
export function verdictOn(
  { error, attempts, deadlineMs, isAbandoned }: FailedAttempt,
  qos: Pick<QueueQos, 'maxAttempts' | 'backoff'>,
  nowMs: number,
  random: number,
): Outcome {
  if (error instanceof DropWork) return { kind: 'dropped', attempts, error };
  if (error instanceof InvalidPayload) return { kind: 'dead', reason: 'invalid', attempts, error };
  if (error instanceof PermanentFailure) return { kind: 'dead', reason: 'permanent', attempts, error };
  const isDeferred = error instanceof RetryLater;
  if (isAbandoned && !isDeferred) return { kind: 'returned', attempts: attempts - 1 };
  if (!isDeferred && attempts >= qos.maxAttempts) return { kind: 'dead', reason: 'failed', attempts, error };
  const { initialMs, maxMs, multiplier } = qos.backoff;
  const delayMs = isDeferred
    ? waitStepMs(error.delayMs)
    : retryStepMs({ attempt: attempts, initialMs, maxMs, multiplier }, random);
  // It would only wait to be thrown away.
  if (nowMs + delayMs >= deadlineMs) return { kind: 'dead', reason: 'expired', attempts, error };
  return isDeferred
    ? { kind: 'defer', attempts: attempts - 1, delayMs, error }
    : { kind: 'retry', attempts, delayMs, error };
}
