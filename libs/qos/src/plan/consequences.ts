import { MS_PER_SECOND } from '../duration.js';
import { waitP99Ms } from '../latency-law.js';
import type { QueueQos } from '../schema/queue-qos.js';
import { drainRatePerSec, handlerCount, serviceTimeP99 } from '../sizing.js';

/** A millionth of a millisecond: what is left of an equation after computing with it. */
const PRECISION_MS = 1e-6;

/** What the QoS of a queue comes to while it is not paused. */
export interface Consequences {
  /** Jobs done in a second while all handlers are busy and as far as `rate` lets them; undefined without serviceTime. */
  readonly capacityPerSec: number | undefined;
  /** Jobs that `rate` lets all workers start in a second, if that is less than the handlers could do. */
  readonly bindingRatePerSec: number | undefined;
  /** How long the workers need for a full queue; undefined without serviceTime. */
  readonly fullDrainMs: number | undefined;
  /**
   * Messages at most: ready, in the workers, and on a quorum queue unconfirmed. What waits for a retry comes on
   * top, up to `maxWaiting`.
   */
  readonly acceptedAtMost: number;
  readonly inFlightAtMost: number;
  /** Sojourn of the last job that a full queue accepted, at the 99th percentile; undefined without serviceTime. */
  readonly fullSojournP99Ms: number | undefined;
  /** Whether that is within `maxLatency`; undefined if either is not known. */
  readonly isPromiseKept: boolean | undefined;
}

export function consequencesOf(qos: QueueQos): Consequences {
  const handlersPerSec = drainRatePerSec(qos);
  const bindingRatePerSec = bindingRateOf(qos);
  const capacityPerSec = bindingRatePerSec ?? handlersPerSec;
  const fullSojournP99Ms = sojournP99Ms(qos);
  return {
    capacityPerSec,
    bindingRatePerSec,
    fullDrainMs: capacityPerSec === undefined ? undefined : (qos.maxLength * MS_PER_SECOND) / capacityPerSec,
    acceptedAtMost: acceptedAtMost(qos),
    inFlightAtMost: handlerCount(qos),
    fullSojournP99Ms,
    isPromiseKept: isWithin(fullSojournP99Ms, qos.maxLatencyMs),
  };
}

/** Unconfirmed publishes that still land after the queue is full. */
export function overshootOf({ type, gateways, window }: QueueQos): number {
  return type === 'quorum' ? gateways * window : 0;
}

function acceptedAtMost(qos: QueueQos): number {
  return qos.maxLength + qos.workers * qos.prefetch + overshootOf(qos);
}

function bindingRateOf(qos: QueueQos): number | undefined {
  const handlersPerSec = drainRatePerSec(qos);
  if (qos.ratePerSec === undefined || handlersPerSec === undefined) return undefined;
  const workersPerSec = qos.workers * qos.ratePerSec;
  return workersPerSec < handlersPerSec ? workersPerSec : undefined;
}

/** Behind everything accepted before it, as the sizing counts it, and where `rate` binds at its pace if that is longer. */
function sojournP99Ms(qos: QueueQos): number | undefined {
  const { serviceTimeMs, serviceTimeCv } = qos;
  if (serviceTimeMs === undefined) return undefined;
  const handlers = handlerCount(qos);
  const jobs = acceptedAtMost(qos) - handlers;
  const handlersMs = waitP99Ms({ jobs, serviceTimeMs, serviceTimeCv, handlers });
  const rateMs = (acceptedAtMost(qos) * MS_PER_SECOND) / (bindingRateOf(qos) ?? Infinity);
  return Math.max(handlersMs, rateMs) + serviceTimeP99({ serviceTimeMs, serviceTimeCv });
}

function isWithin(sojournMs: number | undefined, maxLatencyMs: number | undefined): boolean | undefined {
  if (sojournMs === undefined || maxLatencyMs === undefined) return undefined;
  return sojournMs <= maxLatencyMs + PRECISION_MS;
}
