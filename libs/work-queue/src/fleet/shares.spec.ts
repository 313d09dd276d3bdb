import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { divideBudget, type ShareClaim } from './shares.js';

const AMPLE = 1_000;

function claims(...held: number[]): ShareClaim[] {
  return held.map((share) => ({ capacity: AMPLE, held: share }));
}

function sum(shares: readonly number[]): number {
  return shares.reduce((total, share) => total + share, 0);
}

describe('a divided budget', () => {
  it('is divided evenly, and what is left goes one each by rank', () => {
    expect(divideBudget(17, claims(0, 0, 0))).toEqual([6, 6, 5]);
  });

  it('gives the rest of the workers 0 when there are more than budget', () => {
    expect(divideBudget(2, claims(0, 0, 0))).toEqual([1, 1, 0]);
  });

  it('gives nobody more than it can take, and the others the more', () => {
    const capacities = [2, 100, 4, 100];
    expect(
      divideBudget(
        20,
        capacities.map((capacity) => ({ capacity, held: 0 })),
      ),
    ).toEqual([2, 7, 4, 7]);
  });

  it('is not used up by workers that can take less', () => {
    expect(divideBudget(40, [{ capacity: 3, held: 0 }])).toEqual([3]);
  });

  it('lets those keep one more that have it', () => {
    expect(divideBudget(17, claims(5, 6, 6))).toEqual([5, 6, 6]);
  });

  it('moves no more than the share of who joins', () => {
    expect(divideBudget(17, claims(6, 6, 5, 0))).toEqual([5, 4, 4, 4]);
  });

  it('is nothing for nobody, and nothing without a budget', () => {
    expect(divideBudget(5, [])).toEqual([]);
    expect(divideBudget(0, claims(1, 1))).toEqual([0, 0]);
    expect(divideBudget(-3, claims(1, 1))).toEqual([0, 0]);
  });

  it('is used up to what the workers can take, evenly, and with nothing moved that need not be', () => {
    const claim = fc.record({ capacity: fc.nat(9), held: fc.nat(9) });
    fc.assert(
      fc.property(fc.nat(60), fc.array(claim), (budget, all) => {
        const shares = divideBudget(budget, all);
        expect(sum(shares)).toBe(Math.min(budget, sum(all.map(({ capacity }) => capacity))));
        const most = Math.max(0, ...shares);
        all.forEach(({ capacity, held }, index) => {
          const share = shares[index] ?? -1;
          expect(share).toBeLessThanOrEqual(capacity);
          expect(share).toBeGreaterThanOrEqual(Math.min(capacity, most - 1));
          // Who lost its one more lost it to somebody that had it too.
          const isRobbed = share === most - 1 && Math.min(held, capacity) >= most;
          const gained = all.some((other, at) => shares[at] === most && other.held < most);
          expect(isRobbed && gained).toBe(false);
        });
      }),
    );
  });
});
