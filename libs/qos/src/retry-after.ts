import { reopenLength, type Fill } from './limit.js';

/** `Retry-After` has whole seconds, and a client told to come back at once would only be refused again. */
export const MIN_RETRY_AFTER_MS = 1_000;

/** Past a minute a guess about the drain is worth less than asking again. */
export const MAX_RETRY_AFTER_MS = 60_000;

export interface RetryAfterInput extends Fill {
  /** Mean service time of one job; undefined if nobody said. */
  readonly serviceTimeMs: number | undefined;
  /** Handlers that run at the same time, over all workers. */
  readonly concurrencyTotal: number;
}

/**
 * When a refused client should come back: the time until the workers have drained the queue to where it
 * accepts again, between {@link MIN_RETRY_AFTER_MS} and {@link MAX_RETRY_AFTER_MS}. An unknown service time
 * gives the minimum.
 */
export function retryAfterMs(input: RetryAfterInput): number {
  const { ready, maxLength, type, serviceTimeMs, concurrencyTotal } = input;
  if (serviceTimeMs === undefined) return MIN_RETRY_AFTER_MS;
  const excess = Math.max(0, ready - reopenLength(maxLength, type));
  const drainMs = Math.ceil((excess * serviceTimeMs) / concurrencyTotal);
  return Math.min(MAX_RETRY_AFTER_MS, Math.max(MIN_RETRY_AFTER_MS, drainMs));
}
