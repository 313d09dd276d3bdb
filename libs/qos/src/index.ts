export { backoffMs, type Backoff, type BackoffInput } from './backoff.js';
export { drainedAtMost, type DrainSpeed } from './drain.js';
export { formatDuration, parseDuration } from './duration.js';
export { explain } from './explain.js';
export { knobs, type Knob } from './forecast-knobs.js';
export { forecastOptions, type OptionsForecast, type OptionsForecastInput } from './forecast-options.js';
export { forecast, type Forecast, type ForecastInput, type PromiseForecast } from './forecast.js';
export {
  queueLength,
  thompsonQueueLength,
  type QueueLengthInput,
  type ThompsonInput,
} from './latency-law.js';
export { isFull, reopenLength, type Fill, type QueueType, type RefusedFill } from './limit.js';
export type { QueueModel } from './mmck-found.js';
export { waitQuantileMs } from './mmck-wait.js';
export { steadyState, type SteadyState } from './mmck.js';
export {
  readAssignment,
  readOptionName,
  type AssignmentResult,
  type OptionNameResult,
} from './plan/assignment.js';
export { changed, type Change, type ClearOptions, type ResetQueue, type SetOptions } from './plan/changed.js';
export { consequencesOf, type Consequences } from './plan/consequences.js';
export { decodeOverrides, type OverridesResult } from './plan/decode-overrides.js';
export { differences, type Difference, type Differences } from './plan/differences.js';
export { effectiveQos, type EffectiveQos, type EffectiveQosInput } from './plan/effective-qos.js';
export { isInForce, type Override, type Overrides, type QueueOverrides } from './plan/override.js';
export { warningsOf, type ChangeInput, type Warning, type WarningCode } from './plan/warnings.js';
export { probeDelayMs, type ProbeDelayInput } from './probe-delay.js';
export { formatRate, parseRate } from './rate.js';
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
export type { Overflow, Paused } from './schema/queue.options.js';
export { resolveQosFile, type QosFileResult } from './schema/resolve-qos-file.js';
export { resolveQueueQos, type QueueQosResult } from './schema/resolve-queue-qos.js';
export { drainRatePerSec, handlerCount, sizeQueue, type QueueSize, type QueueSizeInput } from './sizing.js';
export { WAIT_STEPS_MS, retryStepMs, waitStepMs, waitStepsOf } from './wait-ladder.js';
