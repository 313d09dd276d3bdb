/** How fast the workers of a queue empty it. */
export interface DrainSpeed {
  /** Mean service time of one job; undefined if nobody said. */
  readonly serviceTimeMs: number | undefined;
  /** Handlers that run at the same time, over all workers; at least 1. */
  readonly concurrencyTotal: number;
}

interface DrainInput extends DrainSpeed {
  readonly messages: number;
}

/** How long busy workers need for so many messages, on average; undefined with an unknown service time. */
export function drainMs({ messages, serviceTimeMs, concurrencyTotal }: DrainInput): number | undefined {
  return serviceTimeMs === undefined ? undefined : (messages * serviceTimeMs) / concurrencyTotal;
}

interface ElapsedInput extends DrainSpeed {
  /** Zero or more. */
  readonly elapsedMs: number;
}

/** Service times vary: over a short while, workers may be this much faster than their mean. */
const FASTEST_RATIO = 2;

/**
 * The most messages that workers can have finished in that time: twice what their mean service time gives, and
 * one more per handler for the jobs that were nearly done when it began. Infinity with an unknown service
 * time: nothing can be ruled out. For {@link isFull}, when the queue is read some time after it refused.
 */
export function drainedAtMost({ elapsedMs, serviceTimeMs, concurrencyTotal }: ElapsedInput): number {
  if (serviceTimeMs === undefined) return Number.POSITIVE_INFINITY;
  return (FASTEST_RATIO * elapsedMs * concurrencyTotal) / serviceTimeMs + concurrencyTotal;
}
