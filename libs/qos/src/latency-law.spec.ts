import { describe, expect, it } from '@jest/globals';
import { queueLength, thompsonQueueLength } from './latency-law.js';

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
