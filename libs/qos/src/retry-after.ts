import { drainMs, type DrainSpeed } from './drain.js';
import { MS_PER_SECOND } from './duration.js';
import { excess, type Fill } from './limit.js';

/** `Retry-After` has whole seconds, and a client told to come back at once would only be refused again. */
export const MIN_RETRY_AFTER_MS = 1_000;

/** Past a minute a guess about the drain is worth less than asking again. */
export const MAX_RETRY_AFTER_MS = 60_000;

const JITTER_RATIO = 0.5;

export interface RetryAfterInput extends Fill, DrainSpeed {
  /**
   * Publishes offered / publishes accepted, over the last 10 seconds; 1 when all were accepted. Whatever is
   * less than 1 or not finite counts as 1.
   */
  readonly demand: number;
}

/**
 * When a client should come back that was refused by a full queue.
 *
 * T = drain x demand, from {@link MIN_RETRY_AFTER_MS} to {@link MAX_RETRY_AFTER_MS}. The drain is the time until
 * the workers have emptied the queue to where it accepts again: 80 % of the limit on a quorum queue, one free
 * place on a classic one; a second with an unknown service time. The refused come back together and only one in
 * `demand` of them finds a place, so each waits that many times longer, and all are spread over the T / 2 + 1 s
 * that follow T: a whole second at least, or they would share one value of the header.
 *
 * @param random a number in [0, 1), drawn by the caller
 * @returns whole milliseconds, from T to less than 1.5 x T + 1 s, so from MIN_RETRY_AFTER_MS to less than
 * 1.5 x MAX_RETRY_AFTER_MS + 1 s; the header is this in seconds, rounded up
 */
export function retryAfterMs(input: RetryAfterInput, random: number): number {
  const reopenMs = drainMs({ ...input, messages: excess(input) }) ?? MIN_RETRY_AFTER_MS;
  const demand = Number.isFinite(input.demand) ? Math.max(1, input.demand) : 1;
  return spread(reopenMs * demand, random);
}

export interface BackoffRetryAfterInput {
  /** How long it has lasted already. */
  readonly forMs: number;
}

/**
 * When a client should come back while nobody can say when the queue accepts again: the broker is away, or the
 * queue has no workers, for `forMs` already.
 *
 * T = forMs, from {@link MIN_RETRY_AFTER_MS} to {@link MAX_RETRY_AFTER_MS}, spread like {@link retryAfterMs}. A
 * client that comes back each time waits about as long again as the outage has lasted, so its waits double:
 * exponential backoff without counting anybody's attempts.
 *
 * @param random a number in [0, 1), drawn by the caller
 * @returns whole milliseconds in the bounds of {@link retryAfterMs}
 */
export function backoffRetryAfterMs({ forMs }: BackoffRetryAfterInput, random: number): number {
  return spread(forMs, random);
}

function spread(waitMs: number, random: number): number {
  const earliestMs = Math.min(MAX_RETRY_AFTER_MS, Math.max(MIN_RETRY_AFTER_MS, Math.ceil(waitMs)));
  return earliestMs + Math.floor(random * (JITTER_RATIO * earliestMs + MS_PER_SECOND));
}
