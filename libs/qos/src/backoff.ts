/** How the waits between the attempts of a job grow. */
export interface Backoff {
  readonly initialMs: number;
  readonly maxMs: number;
  /** At least 1. */
  readonly multiplier: number;
}

export interface BackoffInput extends Backoff {
  /** The attempt that has just failed, counted from 1. */
  readonly attempt: number;
}

/** The longest wait after this attempt: initialMs x multiplier^(attempt - 1), at most maxMs. */
export function ceilingMs({ attempt, initialMs, maxMs, multiplier }: BackoffInput): number {
  return Math.min(maxMs, initialMs * multiplier ** (attempt - 1));
}

/**
 * The wait before the next attempt: exponential with equal jitter.
 *
 * Half of the {@link ceilingMs} is always waited, so a failing downstream gets its rest; the other half is
 * random, so jobs that failed together do not return together.
 *
 * @param random a number in [0, 1), drawn by the caller
 * @returns whole milliseconds from ceiling / 2 to ceiling
 */
export function backoffMs(input: BackoffInput, random: number): number {
  const halfMs = ceilingMs(input) / 2;
  return Math.round(halfMs + halfMs * random);
}
