import { beforeAll, describe, expect, it } from '@jest/globals';
import { forecast, type Forecast } from './forecast.js';
import { gammaQuantile } from './gamma.js';

/** Jest looks up a global on every use, which would be most of a simulation. */
const { floor, imul, log, max } = Math;

const SERVICE_TIME_MS = 50;
const HANDLERS = 10;
const ARRIVALS = 200_000;
/** The queue starts empty: what comes of that is left out. */
const WARM_UP = 10_000;
const QUANTILES = 2_048;

interface Situation {
  readonly load: number;
  readonly places: number;
  readonly cv: number;
}

/** What was seen of accepted jobs, and what share of all was not accepted. */
interface Seen {
  readonly shedRatio: number;
  readonly waitMeanMs: number;
  readonly waitP99Ms: number;
  readonly sojournP99Ms: number;
}

// The bounds leave room for chance: of 200,000 jobs, the mean wait near saturation is off by 4 % itself.
describe.each([0, 0.5, 1, 2])('the forecast at cv %d, beside a simulation', (cv) => {
  let timesMs: readonly number[];

  beforeAll(() => {
    timesMs = serviceTimesMs(cv);
  });

  it.each([0.8, 0.95, 1.1, 2])('is close for four times as many places as handlers under load %d', (load) => {
    const { seen, foreseen } = both({ load, places: 4 * HANDLERS, cv }, timesMs);
    expect(offBy(foreseen.waitMeanMs, seen.waitMeanMs)).toBeLessThan(0.12);
    expect(offBy(foreseen.waitP99Ms, seen.waitP99Ms)).toBeLessThan(0.08);
    expect(offBy(foreseen.sojournP99Ms, seen.sojournP99Ms)).toBeLessThan(0.08);
    expect(Math.abs(foreseen.shedRatio - seen.shedRatio)).toBeLessThan(0.01);
  });

  it('is less close for as few places as handlers, but for the 99th percentiles', () => {
    const { seen, foreseen } = both({ load: 0.95, places: HANDLERS, cv }, timesMs);
    expect(offBy(foreseen.waitMeanMs, seen.waitMeanMs)).toBeLessThan(0.28);
    expect(offBy(foreseen.waitP99Ms, seen.waitP99Ms)).toBeLessThan(0.08);
    expect(offBy(foreseen.sojournP99Ms, seen.sojournP99Ms)).toBeLessThan(0.08);
    expect(Math.abs(foreseen.shedRatio - seen.shedRatio)).toBeLessThan(0.015);
  });
});

function both(situation: Situation, timesMs: readonly number[]): { seen: Seen; foreseen: Forecast } {
  return { seen: simulate(situation, timesMs), foreseen: forecastOf(situation) };
}

function offBy(foreseen: number, seen: number): number {
  return Math.abs(foreseen / seen - 1);
}

function forecastOf({ load, places, cv }: Situation): Forecast {
  return forecast({
    arrivalRatePerSec: (load * HANDLERS * 1_000) / SERVICE_TIME_MS,
    serviceTimeMs: SERVICE_TIME_MS,
    serviceTimeCv: cv,
    workers: 1,
    concurrency: HANDLERS,
    prefetch: HANDLERS,
    fleetConcurrency: undefined,
    ratePerSec: undefined,
    gateways: 1,
    type: 'classic',
    window: 1,
    maxLatencyMs: undefined,
    maxLength: places,
  });
}

/** Poisson arrivals, gamma service times, first come first served; a job that finds no place is shed. */
function simulate({ load, places }: Situation, timesMs: readonly number[]): Seen {
  const random = seededRandom(42);
  const freeAtMs = Array.from({ length: HANDLERS }, () => 0);
  const waitingStartsMs: number[] = [];
  const waitsMs: number[] = [];
  const sojournsMs: number[] = [];
  let nowMs = 0;
  for (let arrival = 0; arrival < ARRIVALS + WARM_UP; arrival++) {
    nowMs -= (log(1 - random()) * SERVICE_TIME_MS) / (load * HANDLERS);
    while ((waitingStartsMs[0] ?? Infinity) <= nowMs) waitingStartsMs.shift();
    const handler = indexOfLeast(freeAtMs);
    const startMs = max(nowMs, freeAtMs[handler] ?? 0);
    if (startMs > nowMs && waitingStartsMs.length >= places) continue;
    const endMs = startMs + (timesMs[floor(random() * QUANTILES)] ?? 0);
    freeAtMs[handler] = endMs;
    if (startMs > nowMs) waitingStartsMs.push(startMs);
    if (arrival < WARM_UP) continue;
    waitsMs.push(startMs - nowMs);
    sojournsMs.push(endMs - nowMs);
  }
  return {
    shedRatio: 1 - waitsMs.length / ARRIVALS,
    waitMeanMs: waitsMs.reduce((sum, waitMs) => sum + waitMs, 0) / waitsMs.length,
    waitP99Ms: p99(waitsMs),
    sojournP99Ms: p99(sojournsMs),
  };
}

function indexOfLeast(values: readonly number[]): number {
  let least = 0;
  for (let index = 1; index < values.length; index++)
    if ((values[index] ?? 0) < (values[least] ?? 0)) least = index;
  return least;
}

function p99(values: readonly number[]): number {
  return Float64Array.from(values).sort()[floor(values.length * 0.99)] ?? Infinity;
}

/** The gamma distribution as equally likely values, which is faster to draw from than the distribution. */
function serviceTimesMs(cv: number): number[] {
  return Array.from({ length: QUANTILES }, (_, index) =>
    gammaQuantile({ mean: SERVICE_TIME_MS, cv, p: (index + 0.5) / QUANTILES }),
  );
}

/** The mulberry32 generator: small, and the same numbers in every run. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
