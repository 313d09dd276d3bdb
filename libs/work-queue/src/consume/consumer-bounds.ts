import { ConfigurationError } from '../errors/configuration.error.js';

/** How much of a queue may be out and running in one process. */
export interface ConsumerBounds {
  /** Deliveries the broker may have out here, at least `concurrency` and at least a batch. */
  readonly prefetch: number;
  /** Handlers running at once. */
  readonly concurrency: number;
}

/** What is to change; the rest stays, as far as `prefetch` >= `concurrency` allows. */
export interface ConsumerResize {
  readonly prefetch?: number;
  readonly concurrency?: number;
  /** Such as `200/s`; `none` takes the limit away. */
  readonly rate?: string;
}

/** The largest prefetch that AMQP can carry. */
const MAX_PREFETCH = 65_535;
/** Due work gets about a quarter of the places that work from the queue can take up. */
const DUE_SHARE = 4;

/**
 * The bounds after a resize. The one that is not given follows where it has to: a concurrency above the prefetch raises
 * that, a prefetch below the concurrency lowers that.
 * @throws ConfigurationError
 */
export function resized(
  now: ConsumerBounds,
  { prefetch, concurrency }: ConsumerResize,
  batchSize: number,
): ConsumerBounds {
  const bounds = {
    prefetch: prefetch ?? Math.max(now.prefetch, concurrency ?? 0),
    concurrency: concurrency ?? Math.min(now.concurrency, prefetch ?? now.concurrency),
  };
  const problem = boundsProblem(bounds, batchSize);
  if (problem !== undefined) throw new ConfigurationError(problem);
  return bounds;
}

/** What is wrong with them and what to do; undefined when they are fine. */
export function boundsProblem(
  { prefetch, concurrency }: ConsumerBounds,
  batchSize: number,
): string | undefined {
  if (!isBound(prefetch) || !isBound(concurrency) || prefetch < concurrency) {
    return `expected prefetch >= concurrency, both integers from 1 to ${MAX_PREFETCH}, got: prefetch ${prefetch}, concurrency ${concurrency}. Raise prefetch or lower concurrency`;
  }
  if (batchSize > prefetch) {
    return `a prefetch of ${prefetch} never fills a batch of ${batchSize}: set prefetch to ${batchSize} or more, in the QoS file so that the queue is sized for it, or lower batch.size`;
  }
  return undefined;
}

/** The due queue's own prefetch: small, so that due work never takes over, but enough for a batch. */
export function duePrefetch({ concurrency }: ConsumerBounds, batchSize: number): number {
  return Math.max(Math.ceil(concurrency / DUE_SHARE), batchSize);
}

function isBound(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_PREFETCH;
}
