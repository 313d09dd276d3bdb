import type { RetryPolicy } from '../options/settings.js';
import type { AttemptOutcome } from './attempt-outcome.js';

/** Used when the gateway names no time, as after a timeout or a reset. */
const DEFAULT_RETRY_AFTER_MS = 1_000;

interface RetryQuestion {
  outcome: AttemptOutcome;
  /** Attempts made so far, the first included. */
  attempts: number;
  policy: RetryPolicy;
  nowMs: number;
  /** No retry is planned for later than this. */
  retryUntilMs: number;
}

type RetryDecision =
  | { kind: 'retry'; atMs: number }
  | { kind: 'end'; reason: 'accepted' | 'retries-off' | 'not-retriable' | 'retries-used-up' | 'too-late' };

/** Says whether, and when, the same delivery goes out again. */
export function decideRetry({
  outcome,
  attempts,
  policy,
  nowMs,
  retryUntilMs,
}: RetryQuestion): RetryDecision {
  if (outcome.kind === 'accepted') return { kind: 'end', reason: 'accepted' };
  if (policy.kind === 'never') return { kind: 'end', reason: 'retries-off' };
  if (outcome.kind === 'rejected' && !outcome.isRetriable) return { kind: 'end', reason: 'not-retriable' };
  if (attempts > policy.maxRetries) return { kind: 'end', reason: 'retries-used-up' };
  const atMs = nowMs + (outcome.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS);
  return atMs > retryUntilMs ? { kind: 'end', reason: 'too-late' } : { kind: 'retry', atMs };
}
