/** The 99th percentile of the standard normal distribution. */
export const Z_P99 = 2.326;

export interface ThompsonInput {
  readonly maxLatencyMs: number;
  readonly serviceTimeMs: number;
  readonly threads: number;
}

/**
 * The plain law: max latency = (transaction time / threads) x queue length, solved for the queue length.
 *
 * It bounds the mean. With varying service times the slow tail waits longer than maxLatencyMs: 15 % longer at
 * the 99th percentile for cv 1. {@link jobsWithin} corrects for that.
 */
export function thompsonQueueLength({ maxLatencyMs, serviceTimeMs, threads }: ThompsonInput): number {
  return (maxLatencyMs * threads) / serviceTimeMs;
}

interface JobsWithinInput {
  /** How long the last job in the queue may wait before a handler takes it, at the 99th percentile. */
  readonly maxWaitMs: number;
  readonly serviceTimeMs: number;
  /** Standard deviation / mean of the service time. */
  readonly serviceTimeCv: number;
  /** Handlers that run at the same time, over all workers. */
  readonly handlers: number;
}

/**
 * How many jobs may be ahead of a job (not rounded) so that it waits at most maxWaitMs, 99 times in 100.
 *
 * The wait behind Q jobs is about normal with mean Q x S / c and deviation sqrt(Q) x cv x S / c. Asking that
 * its 99th percentile be maxWaitMs gives `Q = ((sqrt(a^2 + 4b) - a) / 2)^2` with `a = z x cv` and
 * `b = maxWaitMs x c / S`. A wait below 0 fits no job.
 */
export function jobsWithin({ maxWaitMs, serviceTimeMs, serviceTimeCv, handlers }: JobsWithinInput): number {
  const b = thompsonQueueLength({ maxLatencyMs: Math.max(0, maxWaitMs), serviceTimeMs, threads: handlers });
  const a = Z_P99 * serviceTimeCv;
  // The square written out: for cv 0 it is b itself; squaring a rounded root could fall below an integer.
  return Math.max(0, b + (a * a - a * Math.sqrt(a * a + 4 * b)) / 2);
}

/**
 * How long a job waits behind so many others, 99 times in 100: the inverse of {@link jobsWithin}.
 *
 * The mean wait and {@link Z_P99} deviations: `(Q + z x cv x sqrt(Q)) x S / c`.
 */
export function waitP99Ms({
  jobs,
  serviceTimeMs,
  serviceTimeCv,
  handlers,
}: Omit<JobsWithinInput, 'maxWaitMs'> & { readonly jobs: number }): number {
  return ((jobs + Z_P99 * serviceTimeCv * Math.sqrt(jobs)) * serviceTimeMs) / handlers;
}

export interface QueueLengthInput extends JobsWithinInput {
  /** Sum of all consumers' prefetch; what exceeds the handlers waits in a worker. @default handlers */
  readonly prefetchTotal?: number;
  /** Sum of all publishers' confirm windows, on a queue type that overshoots by it. @default 0 */
  readonly windowTotal?: number;
}

/** A queue length, at least 1, that promises the wait only; `sizeQueue` promises wait + own service time. */
export function queueLength(input: QueueLengthInput): number {
  const { handlers, prefetchTotal = handlers, windowTotal = 0 } = input;
  const surplus = Math.max(0, prefetchTotal - handlers);
  return Math.max(1, Math.floor(jobsWithin(input) - surplus - windowTotal));
}
