import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  backoffRetryAfterMs,
  MAX_RETRY_AFTER_MS,
  MIN_RETRY_AFTER_MS,
  retryAfterMs,
  type RetryAfterInput,
} from './retry-after.js';

/** Drains from 100 % to 80 % in 4 s. */
const queue: RetryAfterInput = {
  ready: 1_000,
  maxLength: 1_000,
  type: 'quorum',
  serviceTimeMs: 200,
  concurrencyTotal: 10,
  demand: 1,
};
const unknown: RetryAfterInput = { ...queue, serviceTimeMs: undefined };

const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const queues = fc.record({
  ready: fc.nat({ max: 2_000_000 }),
  maxLength: fc.integer({ min: 1, max: 1_000_000 }),
  type: fc.constantFrom('quorum' as const, 'classic' as const),
  serviceTimeMs: fc.option(fc.double({ min: 0.1, max: 3_600_000, noNaN: true }), { nil: undefined }),
  concurrencyTotal: fc.integer({ min: 1, max: 100_000 }),
  demand: fc.double(),
});

describe('retryAfterMs', () => {
  it('waits until a full quorum queue has drained to 80 %', () => {
    expect(retryAfterMs(queue, 0)).toBe(4_000);
  });

  it('waits for the first free place of a classic queue', () => {
    expect(retryAfterMs({ ...queue, type: 'classic', serviceTimeMs: 15_000 }, 0)).toBe(1_500);
  });

  it('waits as many times longer as more is offered than accepted', () => {
    expect(retryAfterMs({ ...queue, demand: 2.5 }, 0)).toBe(10_000);
  });

  it.each([0.5, 0, -3, Number.NaN, Infinity, -Infinity])('takes a demand of %d for 1', (demand) => {
    expect(retryAfterMs({ ...queue, demand }, 0)).toBe(4_000);
  });

  it('is at least a second, also when the queue is open again', () => {
    expect(retryAfterMs({ ...queue, type: 'classic' }, 0)).toBe(1_000);
    expect(retryAfterMs({ ...queue, ready: 0, demand: 10 }, 0)).toBe(1_000);
  });

  it('starts from at most a minute', () => {
    expect(retryAfterMs({ ...queue, serviceTimeMs: 3_600_000, demand: 1_000 }, 0)).toBe(60_000);
  });

  it('takes a drain that nobody knows for a second', () => {
    expect(retryAfterMs(unknown, 0)).toBe(1_000);
    expect(retryAfterMs({ ...unknown, demand: 3 }, 0)).toBe(3_000);
  });

  it('is whole milliseconds', () => {
    expect(retryAfterMs({ ...queue, concurrencyTotal: 7 }, 0)).toBe(5_715);
  });

  it('leaves half of the wait and a second more to chance', () => {
    expect([0, 0.5, 0.999].map((random) => retryAfterMs(queue, random))).toEqual([4_000, 5_500, 6_997]);
  });

  it('spreads clients over the whole seconds of the header, even over the shortest wait', () => {
    const headersOf = (input: RetryAfterInput) =>
      [0.1, 0.3, 0.5, 0.7, 0.9].map((random) => Math.ceil(retryAfterMs(input, random) / 1_000));
    expect(headersOf(queue)).toEqual([5, 5, 6, 7, 7]);
    expect(headersOf({ ...queue, ready: 0 })).toEqual([2, 2, 2, 3, 3]);
  });

  it('stays in its bounds for any queue, any demand and any chance', () => {
    fc.assert(
      fc.property(queues, randoms, (input, random) => {
        const earliestMs = retryAfterMs(input, 0);
        const waitMs = retryAfterMs(input, random);
        expect(Number.isInteger(waitMs)).toBe(true);
        expect(earliestMs).toBeGreaterThanOrEqual(MIN_RETRY_AFTER_MS);
        expect(earliestMs).toBeLessThanOrEqual(MAX_RETRY_AFTER_MS);
        expect(waitMs).toBeGreaterThanOrEqual(earliestMs);
        expect(waitMs).toBeLessThan(earliestMs * 1.5 + 1_000);
      }),
    );
  });

  it('never sends anybody back sooner because the queue is fuller or more is offered', () => {
    fc.assert(
      fc.property(queues, fc.nat(), fc.double({ min: 1, max: 100, noNaN: true }), (input, more, times) => {
        const demand = Number.isFinite(input.demand) ? Math.min(1e6, Math.max(1, input.demand)) : 1;
        const calm = retryAfterMs({ ...input, demand }, 0.5);
        const pressed = retryAfterMs({ ...input, ready: input.ready + more, demand: demand * times }, 0.5);
        expect(pressed).toBeGreaterThanOrEqual(calm);
      }),
    );
  });
});

describe('backoffRetryAfterMs', () => {
  it('waits as long again as it has lasted, from a second to a minute', () => {
    const lasted = [-1, 0, 999.5, 1_500.2, 30_000, 3_600_000, Infinity];
    expect(lasted.map((forMs) => backoffRetryAfterMs({ forMs }, 0))).toEqual([
      1_000, 1_000, 1_000, 1_501, 30_000, 60_000, 60_000,
    ]);
  });

  it('makes the waits of a client that comes back each time double', () => {
    const waits: number[] = [];
    for (let forMs = 0; waits.length < 8; forMs += waits.at(-1) ?? 0)
      waits.push(backoffRetryAfterMs({ forMs }, 0));
    expect(waits).toEqual([1_000, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]);
  });

  it('is spread like any other wait', () => {
    expect([0, 0.5, 0.999].map((random) => backoffRetryAfterMs({ forMs: 4_000 }, random))).toEqual([
      4_000, 5_500, 6_997,
    ]);
  });

  it('stays in its bounds however long it has lasted', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, noNaN: true }), randoms, (forMs, random) => {
        const waitMs = backoffRetryAfterMs({ forMs }, random);
        expect(Number.isInteger(waitMs)).toBe(true);
        expect(waitMs).toBeGreaterThanOrEqual(MIN_RETRY_AFTER_MS);
        expect(waitMs).toBeLessThan(MAX_RETRY_AFTER_MS * 1.5 + 1_000);
      }),
    );
  });
});
