import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TokenBucket } from './token-bucket.js';

const HOUR_MS = 3_600_000;

describe('a token bucket', () => {
  it('gives a tenth of a second’s worth at once, then the rest evenly', () => {
    const bucket = new TokenBucket(100, 0);
    expect(Array.from({ length: 11 }, () => bucket.take(1, 0))).toEqual([...Array(10).fill(0), 10]);
    expect(bucket.take(1, 9)).toBe(1);
    expect(bucket.take(1, 10)).toBe(0);
    expect(bucket.take(1, 10)).toBe(10);
  });

  it('gives one at a time at a rate below ten a second', () => {
    const bucket = new TokenBucket(2, 0);
    expect([bucket.take(1, 0), bucket.take(1, 0), bucket.take(1, 500)]).toEqual([0, 500, 0]);
  });

  it('makes up for nothing after a quiet while', () => {
    const bucket = new TokenBucket(2, 0);
    expect([bucket.take(1, HOUR_MS), bucket.take(1, HOUR_MS)]).toEqual([0, 500]);
  });

  it('lets more than it holds through when it is full, and pays that back before the next', () => {
    const bucket = new TokenBucket(100, 0);
    expect(bucket.take(50, 0)).toBe(0);
    expect(bucket.take(1, 0)).toBe(410);
    expect(bucket.take(50, 410)).toBe(90);
    expect(bucket.take(50, 500)).toBe(0);
  });

  it('takes nothing when it says no', () => {
    const bucket = new TokenBucket(100, 0);
    bucket.take(10, 0);
    expect([bucket.take(10, 50), bucket.take(10, 50), bucket.take(5, 50)]).toEqual([50, 50, 0]);
  });

  it('never limits without a rate', () => {
    const bucket = new TokenBucket(undefined, 0);
    expect([bucket.take(1, 0), bucket.take(1_000_000, 0), bucket.take(1, 0)]).toEqual([0, 0, 0]);
  });

  it('says to ask again after an hour where the wait is longer', () => {
    const bucket = new TokenBucket(1e-9, 0);
    expect([bucket.take(1, 0), bucket.take(1, 0)]).toEqual([0, HOUR_MS]);
  });
});

describe('a rate that changes while it runs', () => {
  it('keeps no more tokens than the new capacity', () => {
    const bucket = new TokenBucket(1_000, 0);
    bucket.setRate(20, 0);
    expect([bucket.take(2, 0), bucket.take(1, 0)]).toEqual([0, 50]);
  });

  it('counts the time before at the old rate and gives nothing for the change itself', () => {
    const bucket = new TokenBucket(10, 0);
    bucket.take(1, 0);
    bucket.setRate(1_000, 50);
    expect([bucket.take(1, 50), bucket.take(1, 51)]).toEqual([1, 0]);
  });

  it('keeps a debt', () => {
    const bucket = new TokenBucket(100, 0);
    bucket.take(50, 0);
    bucket.setRate(10, 0);
    expect(bucket.take(1, 0)).toBe(4_100);
  });

  it('may come and go', () => {
    const bucket = new TokenBucket(undefined, 0);
    bucket.take(1_000, 0);
    bucket.setRate(50, 10);
    expect([bucket.take(5, 10), bucket.take(1, 10)]).toEqual([0, 20]);
    bucket.setRate(undefined, 10);
    expect(bucket.take(1_000, 10)).toBe(0);
  });
});

describe('over any sequence of takes', () => {
  const rates = fc.oneof(
    fc.double({ min: 0.01, max: 10, noNaN: true }),
    fc.double({ min: 10, max: 10_000, noNaN: true }),
  );
  const takes = fc.array(fc.record({ pauseMs: fc.nat(300), count: fc.integer({ min: 1, max: 50 }) }), {
    minLength: 1,
    maxLength: 60,
  });

  it('no interval gives more than its time at the rate, and one full bucket or one take', () => {
    fc.assert(
      fc.property(rates, takes, (ratePerSec, sequence) => {
        const given = grants(ratePerSec, sequence);
        const largest = Math.max(ratePerSec / 10, 1, ...given.map(({ count }) => count));
        for (const [index, { atMs: fromMs }] of given.entries()) {
          let total = 0;
          for (const { atMs, count } of given.slice(index)) {
            total += count;
            expect(total).toBeLessThanOrEqual(((atMs - fromMs) / 1_000) * ratePerSec + largest + 1e-6);
          }
        }
      }),
    );
  });

  it('whoever comes back when told is served, at most a rounded millisecond later', () => {
    fc.assert(
      fc.property(rates, takes, (ratePerSec, sequence) => {
        const bucket = new TokenBucket(ratePerSec, 0);
        let nowMs = 0;
        for (const { pauseMs, count } of sequence) {
          nowMs += pauseMs;
          const waitMs = bucket.take(count, nowMs);
          if (waitMs === 0 || waitMs === HOUR_MS) continue;
          expect(bucket.take(count, nowMs + waitMs / 2)).toBeGreaterThan(0);
          nowMs += waitMs;
          const lateMs = [0, 1].find((delayMs) => bucket.take(count, nowMs + delayMs) === 0);
          expect(lateMs).toBeDefined();
          nowMs += lateMs ?? 0;
        }
      }),
    );
  });
});

/** What was given, and when. */
function grants(
  ratePerSec: number,
  sequence: readonly { readonly pauseMs: number; readonly count: number }[],
) {
  const bucket = new TokenBucket(ratePerSec, 0);
  let atMs = 0;
  return sequence
    .map(({ pauseMs, count }) => {
      atMs += pauseMs;
      return { atMs, count, isGiven: bucket.take(count, atMs) === 0 };
    })
    .filter(({ isGiven }) => isGiven);
}
