import { MS_PER_SECOND } from './duration.js';
import { geometricSums, idleWeight } from './mmck-sums.js';

/** Jobs that arrive at random (Poisson), c handlers, and a bounded number of places to wait, first come first served. */
export interface QueueModel {
  /** Jobs that arrive in a second, accepted or shed; 0 or more. */
  readonly arrivalRatePerSec: number;
  /** More than 0. */
  readonly serviceTimeMs: number;
  /** Standard deviation / mean of the service time. */
  readonly serviceTimeCv: number;
  /** Handlers that run at the same time, over all workers; an integer, at least 1. */
  readonly handlers: number;
  /** Accepted jobs that may wait, wherever they do; an integer, 0 or more. */
  readonly places: number;
}

/** What jobs find when they arrive, in the long run. */
export interface Found {
  /** Share of all jobs that find every place taken, and are shed. */
  readonly shedRatio: number;
  /** Share of accepted jobs that find every handler busy, and wait. */
  readonly waitingRatio: number;
  /** Mean over accepted jobs of how many others have to end before they start; 0 for a job that starts at once. */
  readonly endsAheadMean: number;
  /** Finding one more job waiting is exp(logDecay) times as likely, up to the last place. */
  readonly logDecay: number;
}

/** Offered load / capacity; from 1 on, the handlers are saturated. */
export function loadRatio({ arrivalRatePerSec, serviceTimeMs, handlers }: QueueModel): number {
  return offeredLoad({ arrivalRatePerSec, serviceTimeMs }) / handlers;
}

/**
 * The states of M/M/c/K, K = handlers + places, as arrivals see them.
 *
 * For cv 1 it is exact: finding j jobs waiting is `rho^j` times as likely as finding none. For any other cv the
 * ratio is `rho^(2 / (1 + cv^2))` and the weight of all who wait is such that, as it must be, what is accepted
 * is what the handlers do. Close to saturation, with many places, the mean wait is then the usual
 * `(1 + cv^2) / 2` times the one of cv 1 (Allen and Cunneen). That factor by itself is fair only there: for 10
 * handlers at 95 % load and cv 2 it is 20 % too long for 127 places, and for 40, which leave no room for such
 * waits, it says 142 ms where simulation says 69. Past saturation the queue is full whatever the cv.
 */
export function found(model: QueueModel): Found {
  const idle = idleWeight({ handlers: model.handlers, offered: offeredLoad(model) });
  const logLoad = Math.log(loadRatio(model));
  const power = 2 / (1 + model.serviceTimeCv ** 2);
  const logDecay = power * logLoad;
  const share = logLoad === 0 ? power : Math.expm1(logDecay) / Math.expm1(logLoad);
  const weights =
    logDecay > 0 ? fromFull(idle, logDecay, model.places) : fromEmpty(idle, logDecay, model.places);
  const waiting = share * weights.waiting;
  const accepted = weights.idle + waiting;
  return {
    shedRatio: weights.full / (accepted + weights.full),
    waitingRatio: waiting / accepted,
    endsAheadMean: (share * weights.endsAhead) / accepted,
    logDecay,
  };
}

function offeredLoad({
  arrivalRatePerSec,
  serviceTimeMs,
}: Pick<QueueModel, 'arrivalRatePerSec' | 'serviceTimeMs'>): number {
  return (arrivalRatePerSec * serviceTimeMs) / MS_PER_SECOND;
}

/** How likely an arrival finds each, up to a factor. */
interface Weights {
  readonly idle: number;
  /** All handlers busy, and a place to wait. */
  readonly waiting: number;
  /** The same, each times the jobs that have to end before it starts. */
  readonly endsAhead: number;
  readonly full: number;
}

/** Counted in units of finding nobody waiting, the likeliest below saturation. */
function fromEmpty(idle: number, logDecay: number, places: number): Weights {
  const { sum, rising, next } = geometricSums(Math.exp(logDecay), places);
  return { idle, waiting: sum, endsAhead: rising, full: next };
}

/** Counted in units of finding every place taken, the likeliest past saturation: nothing can overflow. */
function fromFull(idle: number, logDecay: number, places: number): Weights {
  const ratio = Math.exp(-logDecay);
  const { sum, rising, next } = geometricSums(ratio, places);
  const falling = (places + 1) * sum - rising;
  return { idle: idle * next, waiting: ratio * sum, endsAhead: ratio * falling, full: 1 };
}
