import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  parseServiceTime,
  sampleServiceTimeMs,
  type ServiceTimeDistribution,
} from './service-time-distribution.js';

/** As Math.random: 1 itself never comes. */
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('parseServiceTime', () => {
  it.each([
    ['20ms', { kind: 'constant', durationMs: 20 }],
    ['0ms', { kind: 'constant', durationMs: 0 }],
    ['1.5s', { kind: 'constant', durationMs: 1_500 }],
    ['1h', { kind: 'constant', durationMs: 3_600_000 }],
    ['uniform(5ms,40ms)', { kind: 'uniform', minMs: 5, maxMs: 40 }],
    ['uniform( 5ms , 5ms )', { kind: 'uniform', minMs: 5, maxMs: 5 }],
    ['exponential(20ms)', { kind: 'exponential', meanMs: 20 }],
  ])('reads %s', (text, distribution) => {
    expect(parseServiceTime(text)).toEqual({ distribution });
  });

  it.each([
    '20',
    '',
    '-5ms',
    'normal(5ms)',
    'uniform(5ms)',
    'uniform(5ms,)',
    'uniform(5,40)',
    'uniform(5ms,40ms,50ms)',
    'exponential()',
    'exponential(5ms,6ms)',
    'exponential(20ms) ',
    'Uniform(5ms,40ms)',
  ])('refuses %p and says what would be right', (text) => {
    expect(parseServiceTime(text)).toEqual({
      problem: `expected a duration such as 20ms or a distribution uniform(5ms,40ms) / exponential(20ms), got: "${text}"`,
    });
  });

  it('refuses a uniform distribution from long to short', () => {
    expect(parseServiceTime('uniform(40ms,5ms)')).toEqual({
      problem: 'expected the shorter duration first in uniform(…), got: "uniform(40ms,5ms)"',
    });
  });

  it.each(['61m', 'uniform(1s,2h)', 'exponential(2h)'])(
    'refuses %s, which would outlast any experiment',
    (text) => {
      expect(parseServiceTime(text)).toEqual({ problem: `expected at most 1h, got: "${text}"` });
    },
  );
});

describe('sampleServiceTimeMs', () => {
  it('a constant is the same for every random number', () => {
    expect(sampleServiceTimeMs({ kind: 'constant', durationMs: 20 }, 0.9)).toBe(20);
  });

  it('a uniform sample lies between its bounds, in the order of the random numbers', () => {
    const distribution: ServiceTimeDistribution = { kind: 'uniform', minMs: 5, maxMs: 40 };
    expect([0, 0.5, 0.8].map((value) => sampleServiceTimeMs(distribution, value))).toEqual([5, 22.5, 33]);
    fc.assert(
      fc.property(random, (value) => {
        const sampleMs = sampleServiceTimeMs(distribution, value);
        return sampleMs >= 5 && sampleMs <= 40;
      }),
    );
  });

  it('exponential samples have the mean that was asked for', () => {
    const distribution: ServiceTimeDistribution = { kind: 'exponential', meanMs: 20 };
    const steps = 100_000;
    // Every step of 0 to 1 once is what random numbers are on average.
    const samplesMs = Array.from({ length: steps }, (_, step) =>
      sampleServiceTimeMs(distribution, (step + 0.5) / steps),
    );
    expect(samplesMs.reduce((sum, sampleMs) => sum + sampleMs) / steps).toBeCloseTo(20, 2);
    // A share of 1/e of them is longer than the mean.
    expect(samplesMs.filter((sampleMs) => sampleMs > 20).length / steps).toBeCloseTo(1 / Math.E, 3);
  });

  it('every exponential sample is finite and fits a timer, even of the longest mean', () => {
    const longest: ServiceTimeDistribution = { kind: 'exponential', meanMs: 3_600_000 };
    fc.assert(
      fc.property(random, (value) => {
        const sampleMs = sampleServiceTimeMs(longest, value);
        return sampleMs >= 0 && sampleMs < 2 ** 31;
      }),
    );
    expect(sampleServiceTimeMs(longest, 1 - 2 ** -53)).toBeLessThan(2 ** 31);
  });
});
