import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jobsWithin, queueLength, thompsonQueueLength, waitP99Ms } from './latency-law.js';

describe('thompsonQueueLength', () => {
  it('solves max latency = (transaction time / threads) x queue length', () => {
    expect(thompsonQueueLength({ maxLatencyMs: 1_000, serviceTimeMs: 50, threads: 10 })).toBe(200);
    expect(thompsonQueueLength({ maxLatencyMs: 60_000, serviceTimeMs: 500, threads: 4 })).toBe(480);
  });
});

describe('queueLength', () => {
  const target = { maxWaitMs: 1_000, serviceTimeMs: 50, handlers: 10 };

  it.each([
    [0, 200],
    [0.5, 184],
    [1, 169],
    [2, 144],
  ])('shortens the queue the more the service time varies: cv %d gives %d', (serviceTimeCv, length) => {
    expect(queueLength({ ...target, serviceTimeCv })).toBe(length);
  });

  it('counts what is prefetched beyond the handlers and what is unconfirmed', () => {
    expect(queueLength({ ...target, serviceTimeCv: 1, prefetchTotal: 20, windowTotal: 10 })).toBe(149);
  });

  it('is at least 1', () => {
    expect(queueLength({ ...target, maxWaitMs: -5, serviceTimeCv: 1 })).toBe(1);
  });
});

describe('waitP99Ms', () => {
  it('is the mean wait and 2.326 deviations of it', () => {
    const handlers = { serviceTimeMs: 50, handlers: 10 };
    expect(waitP99Ms({ ...handlers, jobs: 100, serviceTimeCv: 0 })).toBe(500);
    expect(waitP99Ms({ ...handlers, jobs: 100, serviceTimeCv: 1 })).toBeCloseTo(616.3, 10);
  });

  it('is the wait for which so many jobs fit', () => {
    const jobs = fc.integer({ min: 0, max: 1_000_000 });
    const serviceTimeCv = fc.integer({ min: 0, max: 50 }).map((tenths) => tenths / 10);
    fc.assert(
      fc.property(jobs, serviceTimeCv, fc.integer({ min: 1, max: 100 }), (count, cv, handlers) => {
        const service = { serviceTimeMs: 20, serviceTimeCv: cv, handlers };
        const maxWaitMs = waitP99Ms({ ...service, jobs: count });
        expect(jobsWithin({ ...service, maxWaitMs })).toBeCloseTo(count, 3);
      }),
    );
  });
});
