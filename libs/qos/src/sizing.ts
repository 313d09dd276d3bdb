import { MS_PER_SECOND } from './duration.js';
import { gammaQuantile } from './gamma.js';
import { jobsWithin } from './latency-law.js';
import type { QueueType } from './limit.js';
import { splitPlaces, splitWithWindow } from './window.js';

const P99 = 0.99;

export interface QueueSizeInput {
  /** The promise: 99 of 100 accepted jobs are done (wait + own service) within this time. */
  readonly maxLatencyMs: number;
  readonly serviceTimeMs: number;
  readonly serviceTimeCv: number;
  readonly workers: number;
  readonly concurrency: number;
  readonly prefetch: number;
  /** Handlers over all workers, if fewer than workers x concurrency; undefined: no such bound. */
  readonly fleetConcurrency?: number | undefined;
  readonly gateways: number;
  readonly type: QueueType;
  /** Unconfirmed publishes per gateway; undefined asks for the default window of the result. */
  readonly window?: number | undefined;
}

/** The result and every number it was made of, for whoever wants to redo it on paper. */
export interface QueueSize {
  /** Ready messages the queue may hold. Below 1: not a single job fits, the caller must refuse. */
  readonly maxLength: number;
  readonly window: number;
  readonly handlers: number;
  readonly serviceTimeP99Ms: number;
  /** Jobs that may be ahead of a job, before rounding down. */
  readonly jobs: number;
  /** Messages waiting in workers' memory: sum of prefetch - handlers. */
  readonly prefetchSurplus: number;
  /** Publishes that can still land after the queue is full: gateways x window on a quorum queue, else 0. */
  readonly unconfirmed: number;
}

/**
 * max-length = floor(jobs within maxLatency - own service time) - prefetch surplus - unconfirmed publishes.
 *
 * Everything accepted ahead of a job delays it, wherever it waits: in the queue, in a worker's prefetch
 * buffer, or on its way to a quorum queue, which still takes what was published before it said that it is
 * full.
 */
export function sizeQueue(input: QueueSizeInput): QueueSize {
  const { serviceTimeMs, serviceTimeCv, gateways } = input;
  const handlers = handlerCount(input);
  const serviceTimeP99Ms = serviceTimeP99(input);
  const maxWaitMs = input.maxLatencyMs - serviceTimeP99Ms;
  const jobs = jobsWithin({ maxWaitMs, serviceTimeMs, serviceTimeCv, handlers });
  const prefetchSurplus = Math.max(0, input.workers * input.prefetch - handlers);
  const overshootingGateways = input.type === 'quorum' ? gateways : 0;
  const sharing = { places: Math.floor(jobs) - prefetchSurplus, handlers, gateways, overshootingGateways };
  const split = input.window === undefined ? splitPlaces(sharing) : splitWithWindow(sharing, input.window);
  const unconfirmed = overshootingGateways * split.window;
  return { ...split, handlers, serviceTimeP99Ms, jobs, prefetchSurplus, unconfirmed };
}

/** The service time that 99 of 100 jobs stay within: the least latency anyone can promise. */
export function serviceTimeP99(input: Pick<QueueSizeInput, 'serviceTimeMs' | 'serviceTimeCv'>): number {
  return gammaQuantile({ mean: input.serviceTimeMs, cv: input.serviceTimeCv, p: P99 });
}

type HandlerCountInput = Pick<QueueSizeInput, 'workers' | 'concurrency' | 'fleetConcurrency'>;

/** Handlers that run at the same time, over all workers: workers x concurrency, at most fleetConcurrency. */
export function handlerCount({ workers, concurrency, fleetConcurrency }: HandlerCountInput): number {
  return Math.min(workers * concurrency, fleetConcurrency ?? Infinity);
}

interface DrainRateInput extends HandlerCountInput {
  readonly serviceTimeMs: number | undefined;
}

/** Jobs that busy workers finish in a second; undefined while nobody has said how long one takes. */
export function drainRatePerSec(input: DrainRateInput): number | undefined {
  if (input.serviceTimeMs === undefined) return undefined;
  return (handlerCount(input) * MS_PER_SECOND) / input.serviceTimeMs;
}
