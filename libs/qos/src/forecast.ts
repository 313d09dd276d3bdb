import { MS_PER_SECOND } from './duration.js';
import { adviceOn } from './forecast-words.js';
import type { QueueModel } from './mmck-found.js';
import { waitQuantileMs } from './mmck-wait.js';
import { steadyState } from './mmck.js';
import type { QueueQos } from './schema/queue-qos.js';
import { sizeQueue, type QueueSize } from './sizing.js';

/** Arithmetic in floating point must not break a promise that is kept to the millisecond. */
const MICROSECOND_MS = 0.001;

type Options =
  | 'serviceTimeCv'
  | 'workers'
  | 'concurrency'
  | 'prefetch'
  | 'fleetConcurrency'
  | 'ratePerSec'
  | 'gateways'
  | 'type'
  | 'maxLatencyMs'
  | 'maxLength'
  | 'window';

/** A resolved QoS with a service time, and what arrives. */
export interface ForecastInput extends Pick<QueueQos, Options> {
  /** Jobs that arrive in a second, at random; retries count as arrivals. 0 or more. */
  readonly arrivalRatePerSec: number;
  readonly serviceTimeMs: number;
}

/** What a queue comes to if this load lasts. */
export interface Forecast {
  readonly arrivalRatePerSec: number;
  /** What the workers can finish in a second: all handlers busy, or as many as `rate` lets start. */
  readonly drainRatePerSec: number;
  /** Arrivals / what can be finished; from 1 on, the workers are saturated. */
  readonly loadRatio: number;
  /** Share of the handlers that is busy. */
  readonly utilizationRatio: number;
  readonly acceptedPerSec: number;
  readonly shedPerSec: number;
  readonly shedRatio: number;
  readonly maxLength: number;
  /** Accepted jobs that can wait: in the queue, in workers' memory, and landed after the queue was full. */
  readonly places: number;
  readonly waitingMean: number;
  /** Of accepted jobs, as everything below; those that start at once included. */
  readonly waitMeanMs: number;
  readonly waitP50Ms: number;
  readonly waitP99Ms: number;
  readonly sojournP99Ms: number;
  /** Undefined if `maxLength` was set outright without a `maxLatency`. */
  readonly promise: PromiseForecast | undefined;
  /** What to make of it, in a sentence for an operator. */
  readonly advice: string;
}

export interface PromiseForecast {
  readonly maxLatencyMs: number;
  readonly isKept: boolean;
  /** maxLatency - p99 sojourn; below 0, what the promise is broken by. */
  readonly spareMs: number;
}

/**
 * Where a `reject-publish` queue settles under a steady arrival rate: a queueing model, see {@link steadyState}.
 *
 * A quorum queue is taken at its longest, with every window landed; a full one swings between that and 80 % of
 * its limit. A `drop-head` queue loses the same share, but drops it after accepting it.
 */
export function forecast(input: ForecastInput): Forecast {
  // Without a promise only the parts of the size are of interest, which do not depend on it.
  const size = sizeQueue({ ...input, maxLatencyMs: input.maxLatencyMs ?? 0 });
  const model = queueModel(input, size);
  const state = steadyState(model);
  const waitP99Ms = waitQuantileMs(model, 0.99);
  const sojournP99Ms = sojournP99({ ...input, ...size, ...state, waitP99Ms });
  const figures = {
    arrivalRatePerSec: input.arrivalRatePerSec,
    drainRatePerSec: capacityPerSec(model),
    loadRatio: state.loadRatio,
    utilizationRatio: (state.throughputPerSec * input.serviceTimeMs) / MS_PER_SECOND / size.handlers,
    acceptedPerSec: state.throughputPerSec,
    shedPerSec: input.arrivalRatePerSec * state.shedRatio,
    shedRatio: state.shedRatio,
    maxLength: input.maxLength,
    places: model.places,
    waitingMean: state.waitingMean,
    waitMeanMs: state.waitMeanMs,
    waitP50Ms: waitQuantileMs(model, 0.5),
    waitP99Ms,
    sojournP99Ms,
    promise: promiseOf(input.maxLatencyMs, sojournP99Ms),
  };
  const isRateLimited = capacityPerSec(model) < (size.handlers * MS_PER_SECOND) / input.serviceTimeMs;
  return { ...figures, advice: adviceOn({ ...figures, isRateLimited }) };
}

/**
 * A rate below what the handlers could do is a queue for as many handlers as it keeps busy, which are slower by
 * what is left of rounding them up: what they finish in a second is the rate. The other handlers keep messages
 * waiting like a prefetch beyond them.
 */
function queueModel(input: ForecastInput, { handlers, prefetchSurplus, unconfirmed }: QueueSize): QueueModel {
  const { arrivalRatePerSec, serviceTimeMs, serviceTimeCv, maxLength } = input;
  const places = maxLength + prefetchSurplus + unconfirmed;
  const unlimited = { arrivalRatePerSec, serviceTimeMs, serviceTimeCv, handlers, places };
  const startsPerSec = (input.ratePerSec ?? Infinity) * input.workers;
  if (startsPerSec >= capacityPerSec(unlimited)) return unlimited;
  const busy = Math.max(1, Math.ceil((startsPerSec * serviceTimeMs) / MS_PER_SECOND));
  const busyMs = (busy * MS_PER_SECOND) / startsPerSec;
  return { ...unlimited, handlers: busy, serviceTimeMs: busyMs, places: places + handlers - busy };
}

function capacityPerSec({ handlers, serviceTimeMs }: QueueModel): number {
  return (handlers * MS_PER_SECOND) / serviceTimeMs;
}

interface SojournInput {
  readonly waitMeanMs: number;
  readonly waitP99Ms: number;
  readonly serviceTimeMs: number;
  readonly serviceTimeP99Ms: number;
}

/**
 * Wait and own service time do not depend on each other, so how far each of them goes beyond its mean adds up as
 * squares do: at most 7 % too long beside simulations (see {@link steadyState}). Sizing adds the two 99th
 * percentiles instead, and so keeps a margin.
 */
function sojournP99({ waitMeanMs, waitP99Ms, serviceTimeMs, serviceTimeP99Ms }: SojournInput): number {
  return waitMeanMs + serviceTimeMs + Math.hypot(waitP99Ms - waitMeanMs, serviceTimeP99Ms - serviceTimeMs);
}

function promiseOf(maxLatencyMs: number | undefined, sojournP99Ms: number): PromiseForecast | undefined {
  if (maxLatencyMs === undefined) return undefined;
  const spareMs = maxLatencyMs - sojournP99Ms;
  return { maxLatencyMs, isKept: spareMs > -MICROSECOND_MS, spareMs };
}
