export { backoffMs, type Backoff, type BackoffInput } from './backoff.js';
export { drainedAtMost, type DrainSpeed } from './drain.js';
export { formatDuration, parseDuration } from './duration.js';
export { explain } from './explain.js';
export {
  queueLength,
  thompsonQueueLength,
  type QueueLengthInput,
  type ThompsonInput,
} from './latency-law.js';
export { isFull, reopenLength, type Fill, type QueueType, type RefusedFill } from './limit.js';
export { probeDelayMs, type ProbeDelayInput } from './probe-delay.js';
export { parseRate } from './rate.js';
export {
  MAX_RETRY_AFTER_MS,
  MIN_RETRY_AFTER_MS,
  backoffRetryAfterMs,
  retryAfterMs,
  type BackoffRetryAfterInput,
  type RetryAfterInput,
} from './retry-after.js';
export {
  describeFileOptions,
  describeQueueOptions,
  type OptionDescription,
} from './schema/describe-options.js';
export type { Path, Problem } from './schema/problem.js';
export type { LimitMode } from './schema/qos-file.js';
export { BackoffQos, QueueQos } from './schema/queue-qos.js';
export type { Overflow } from './schema/queue.options.js';
export { resolveQosFile, type QosFileResult } from './schema/resolve-qos-file.js';
export { resolveQueueQos, type QueueQosResult } from './schema/resolve-queue-qos.js';
export { drainRatePerSec, handlerCount, sizeQueue, type QueueSize, type QueueSizeInput } from './sizing.js';
export { WAIT_STEPS_MS, retryStepMs, waitStepMs, waitStepsOf } from './wait-ladder.js';
