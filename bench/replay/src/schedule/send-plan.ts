import type { Amount, Arrivals } from '../options/settings.js';
import { seededRandom } from './seeded-random.js';

/** The planned send times, fixed before the first answer is seen. */
export interface SendPlan {
  /** Ascending, milliseconds since the start. */
  readonly timesMs: readonly number[];
  /** When the send phase is over: the chosen duration, or the last planned time. */
  readonly endsAtMs: number;
}

interface SendPlanOptions {
  ratePerSec: number;
  amount: Amount;
  arrivals: Arrivals;
}

/**
 * An open loop: the times depend on the rate (and the seed) only, never on how fast the gateway answers.
 * At constant spacing time i is i / rate, computed afresh each time so that no rounding adds up.
 */
export function planSends({ ratePerSec, amount, arrivals }: SendPlanOptions): SendPlan {
  const timeOf =
    arrivals.kind === 'constant' ? constantTimes(ratePerSec) : poissonTimes(ratePerSec, arrivals.seed);
  const timesMs: number[] = [];
  for (let timeMs = timeOf(0); isWithin(amount, timesMs.length, timeMs); timeMs = timeOf(timesMs.length)) {
    timesMs.push(timeMs);
  }
  return { timesMs, endsAtMs: amount.kind === 'duration' ? amount.durationMs : (timesMs.at(-1) ?? 0) };
}

function isWithin(amount: Amount, index: number, timeMs: number): boolean {
  return amount.kind === 'count' ? index < amount.countDeliveries : timeMs < amount.durationMs;
}

function constantTimes(ratePerSec: number): (index: number) => number {
  return (index) => (index * 1_000) / ratePerSec;
}

/** Gaps are -ln(1 - u) / rate. Must be asked for index 0, 1, 2, … in this order. */
function poissonTimes(ratePerSec: number, seed: number): (index: number) => number {
  const random = seededRandom(seed);
  let timeMs = 0;
  return () => {
    timeMs += (-Math.log(1 - random()) * 1_000) / ratePerSec;
    return timeMs;
  };
}
