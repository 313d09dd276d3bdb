export interface BackoffInput {
  /** The attempt that has just failed, counted from 1. */
  readonly attempt: number;
  readonly initialMs: number;
  readonly maxMs: number;
  readonly multiplier: number;
}

/**
 * The wait before the next attempt: exponential with equal jitter.
 *
 * The ceiling is initialMs x multiplier^(attempt - 1), at most maxMs. Half of it is always waited, so a
 * failing downstream gets its rest; the other half is random, so jobs that failed together do not return
 * together.
 *
 * @param random a number in [0, 1), drawn by the caller
 * @returns whole milliseconds from ceiling / 2 to ceiling
 */
export function backoffMs({ attempt, initialMs, maxMs, multiplier }: BackoffInput, random: number): number {
  const ceilingMs = Math.min(maxMs, initialMs * multiplier ** (attempt - 1));
  return Math.round(ceilingMs / 2 + (ceilingMs / 2) * random);
}
