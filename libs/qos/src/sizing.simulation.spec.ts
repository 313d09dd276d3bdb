import { describe, expect, it } from '@jest/globals';
import { gammaQuantile } from './gamma.js';
import { sizeQueue } from './sizing.js';

const MAX_LATENCY_MS = 1_000;
const SERVICE_TIME_MS = 50;
const HANDLERS = 10;
/** Twice what the handlers can do. */
const ARRIVALS_PER_MS = (2 * HANDLERS) / SERVICE_TIME_MS;
const ARRIVALS = 60_000;
const QUANTILES = 2_048;

describe('a classic queue of the derived length under twice the load it can bear', () => {
  it.each([0, 0.5, 1, 2])('keeps its promise for 99 of 100 accepted jobs at cv %d', (cv) => {
    const { maxLength } = sizeQueue({
      maxLatencyMs: MAX_LATENCY_MS,
      serviceTimeMs: SERVICE_TIME_MS,
      serviceTimeCv: cv,
      workers: 1,
      concurrency: HANDLERS,
      prefetch: HANDLERS,
      gateways: 1,
      type: 'classic',
    });
    const sojournsMs = simulate(maxLength, cv).toSorted((a, b) => a - b);
    const p99Ms = sojournsMs[Math.floor(sojournsMs.length * 0.99)] ?? Infinity;
    expect(p99Ms).toBeLessThanOrEqual(MAX_LATENCY_MS * 1.05);
    expect(p99Ms).toBeGreaterThan(MAX_LATENCY_MS * 0.75);
    expect(sojournsMs.length / ARRIVALS).toBeCloseTo(0.5, 1);
  });
});

/** Poisson arrivals, gamma service times, first come first served; a job that finds maxLength waiting is refused. */
function simulate(maxLength: number, cv: number): number[] {
  const random = seededRandom(42);
  const quantilesMs = serviceTimesMs(cv);
  const freeAtMs = Array.from({ length: HANDLERS }, () => 0);
  const waitingStartsMs: number[] = [];
  const sojournsMs: number[] = [];
  let nowMs = 0;
  for (let arrival = 0; arrival < ARRIVALS; arrival++) {
    nowMs -= Math.log(1 - random()) / ARRIVALS_PER_MS;
    while ((waitingStartsMs[0] ?? Infinity) <= nowMs) waitingStartsMs.shift();
    if (waitingStartsMs.length >= maxLength) continue;
    const handler = freeAtMs.indexOf(Math.min(...freeAtMs));
    const startMs = Math.max(nowMs, freeAtMs[handler] ?? 0);
    const endMs = startMs + (quantilesMs[Math.floor(random() * QUANTILES)] ?? 0);
    freeAtMs[handler] = endMs;
    waitingStartsMs.push(startMs);
    sojournsMs.push(endMs - nowMs);
  }
  return sojournsMs;
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
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
