import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs } from './backoff.js';

const backoff = { initialMs: 1_000, maxMs: 30_000, multiplier: 2 };

describe('backoffMs', () => {
  it('doubles from the initial wait up to the longest', () => {
    const ceilings = [1, 2, 3, 4, 5, 6, 7].map((attempt) => backoffMs({ ...backoff, attempt }, 1));
    expect(ceilings).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it('always waits half and leaves the other half to chance', () => {
    expect([0, 0.5, 0.99].map((random) => backoffMs({ ...backoff, attempt: 3 }, random))).toEqual([
      2_000, 3_000, 3_980,
    ]);
  });

  it('stays between half the ceiling and the ceiling for any attempt', () => {
    const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), randoms, (attempt, random) => {
        const ceilingMs = Math.min(backoff.maxMs, backoff.initialMs * backoff.multiplier ** (attempt - 1));
        const waitMs = backoffMs({ ...backoff, attempt }, random);
        expect(waitMs).toBeGreaterThanOrEqual(ceilingMs / 2);
        expect(waitMs).toBeLessThanOrEqual(ceilingMs);
      }),
    );
  });
});
