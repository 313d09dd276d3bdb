import { describe, expect, test } from '@jest/globals';

import { planSends } from './send-plan.js';

const tenSeconds = { kind: 'duration', durationMs: 10_000 } as const;

describe('constant spacing', () => {
  const arrivals = { kind: 'constant' } as const;

  test('sends are rate x duration, evenly spaced from 0, all before the end', () => {
    const { timesMs, endsAtMs } = planSends({ ratePerSec: 200, amount: tenSeconds, arrivals });
    expect(timesMs).toHaveLength(2_000);
    expect(timesMs.slice(0, 3)).toEqual([0, 5, 10]);
    expect(timesMs.at(-1)).toBe(9_995);
    expect(endsAtMs).toBe(10_000);
  });

  test('rounding does not add up at a rate that divides badly', () => {
    const { timesMs } = planSends({
      ratePerSec: 3,
      amount: { kind: 'count', countDeliveries: 3_001 },
      arrivals,
    });
    expect(timesMs.at(-1)).toBe(1_000_000);
  });

  test('a count is met exactly and ends with the last send', () => {
    const plan = planSends({ ratePerSec: 10, amount: { kind: 'count', countDeliveries: 3 }, arrivals });
    expect(plan).toEqual({ timesMs: [0, 100, 200], endsAtMs: 200 });
  });

  test('a rate slower than the duration still sends one', () => {
    expect(planSends({ ratePerSec: 0.01, amount: tenSeconds, arrivals }).timesMs).toEqual([0]);
  });
});

describe('poisson arrivals', () => {
  const plan = (seed: number) =>
    planSends({
      ratePerSec: 100,
      amount: { kind: 'count', countDeliveries: 20_000 },
      arrivals: { kind: 'poisson', seed },
    }).timesMs;

  test('the same seed gives the same times, another seed others', () => {
    expect(plan(7)).toEqual(plan(7));
    expect(plan(7)).not.toEqual(plan(8));
  });

  test('times ascend and gaps have the mean and the spread of an exponential', () => {
    const times = plan(1);
    const gaps = times.map((timeMs, index) => timeMs - (times[index - 1] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0);
    expect(mean).toBeGreaterThan(9.8);
    expect(mean).toBeLessThan(10.2);
    expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
  });

  test('a duration bounds the times', () => {
    const { timesMs } = planSends({
      ratePerSec: 100,
      amount: tenSeconds,
      arrivals: { kind: 'poisson', seed: 1 },
    });
    expect(timesMs.length).toBeGreaterThan(850);
    expect(timesMs.length).toBeLessThan(1_150);
    expect(timesMs.at(-1)).toBeLessThan(10_000);
  });
});
