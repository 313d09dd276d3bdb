import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TimeHistogram } from './time-histogram.js';

const TWO_DIGITS = 0.01;

describe('a time histogram', () => {
  it('says nothing of no times', () => {
    expect(new TimeHistogram().summary()).toBeUndefined();
  });

  it('gives mean, spread and percentiles of known times', () => {
    const summary = histogramOf(Array.from({ length: 1_000 }, (_, index) => index + 1)).summary();
    expect(summary).toMatchObject({ count: 1_000 });
    expect(isClose(summary?.meanMs, 500.5)).toBe(true);
    expect(isClose(summary?.cv, 288.675 / 500.5)).toBe(true);
    expect(isClose(summary?.p50Ms, 500)).toBe(true);
    expect(isClose(summary?.p99Ms, 990)).toBe(true);
  });

  it('is right to two digits from 0.1 ms to an hour', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 3_600_000, noNaN: true }), (timeMs) => {
        const summary = histogramOf([timeMs]).summary();
        const values = [summary?.meanMs, summary?.p50Ms, summary?.p99Ms];
        expect(values.every((value) => isClose(value, timeMs))).toBe(true);
      }),
    );
  });

  it.each([
    ['shorter than 0.1 ms', 0.02, 0.1],
    ['zero', 0, 0.1],
    ['negative', -5, 0.1],
    ['not a number', Number.NaN, 0.1],
    ['longer than an hour', 3_600_001, 3_600_000],
    ['infinite', Number.POSITIVE_INFINITY, 3_600_000],
  ])('counts a time that is %s as the nearest in its range, and that it did', (_, timeMs, countedMs) => {
    const histogram = histogramOf([timeMs]);
    expect(isClose(histogram.summary()?.p50Ms, countedMs)).toBe(true);
    expect(histogram.counts().clamped).toBe(1);
  });

  it('counts what is in its range as it is', () => {
    expect(histogramOf([0.1, 1, 3_600_000]).counts().clamped).toBe(0);
  });

  it('starts from nothing after a reset', () => {
    const histogram = histogramOf([1, 2, 0]);
    histogram.reset();
    expect(histogram.counts()).toEqual(new TimeHistogram().counts());
    histogram.record(7);
    expect(isClose(histogram.summary()?.meanMs, 7)).toBe(true);
  });

  it('holds, with what another has counted, what one would hold that had counted both', () => {
    const times = fc.array(fc.double({ min: 0, max: 4_000_000, noNaN: true }));
    fc.assert(
      fc.property(times, times, (own, others) => {
        const histogram = histogramOf(own);
        histogram.add(histogramOf(others).counts());
        expect(histogram.counts()).toEqual(histogramOf([...own, ...others]).counts());
        expect(histogram.summary()).toEqual(histogramOf([...own, ...others]).summary());
      }),
    );
  });
});

function histogramOf(timesMs: readonly number[]): TimeHistogram {
  const histogram = new TimeHistogram();
  for (const timeMs of timesMs) histogram.record(timeMs);
  return histogram;
}

function isClose(actual: number | undefined, expected: number): boolean {
  return actual !== undefined && Math.abs(actual / expected - 1) <= TWO_DIGITS;
}
