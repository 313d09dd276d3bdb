import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { drainRatePerSec, handlerCount, sizeQueue, type QueueSizeInput } from './sizing.js';
import { defaultWindow } from './window.js';

const classic: QueueSizeInput = {
  maxLatencyMs: 1_000,
  serviceTimeMs: 50,
  serviceTimeCv: 1,
  workers: 1,
  concurrency: 10,
  prefetch: 10,
  gateways: 1,
  type: 'classic',
};
const quorum: QueueSizeInput = { ...classic, type: 'quorum' };

describe('sizeQueue', () => {
  it('promises the sojourn: 1000 ms, 50 ms, 10 handlers and cv 1 give 127 on a classic queue', () => {
    expect(sizeQueue(classic)).toMatchObject({
      maxLength: 127,
      window: 12,
      prefetchSurplus: 0,
      unconfirmed: 0,
    });
  });

  it('leaves room for the unconfirmed publishes on a quorum queue', () => {
    expect(sizeQueue(quorum)).toMatchObject({ maxLength: 116, window: 11, unconfirmed: 11 });
  });

  it('subtracts what is prefetched beyond the handlers', () => {
    expect(sizeQueue({ ...classic, prefetch: 15 }).maxLength).toBe(122);
  });

  it('adds up handlers and prefetch over all workers', () => {
    const spread = sizeQueue({ ...classic, workers: 5, concurrency: 2, prefetch: 3 });
    expect(spread).toMatchObject({ handlers: 10, prefetchSurplus: 5, maxLength: 122 });
  });

  it('takes the fleet’s bound for the handlers, and what is prefetched beyond it for a delay', () => {
    const bounded = sizeQueue({ ...classic, workers: 5, concurrency: 4, prefetch: 4, fleetConcurrency: 10 });
    expect(bounded).toMatchObject({ handlers: 10, prefetchSurplus: 10, maxLength: 117 });
  });

  it('uses a window that was chosen', () => {
    expect(sizeQueue({ ...quorum, gateways: 3, window: 4 })).toMatchObject({
      maxLength: 115,
      unconfirmed: 12,
    });
    expect(sizeQueue({ ...classic, gateways: 3, window: 4 })).toMatchObject({
      maxLength: 127,
      unconfirmed: 0,
    });
  });

  it('gives a length below 1 when nothing fits, with an arithmetic that adds up', () => {
    const size = sizeQueue({ ...quorum, maxLatencyMs: 240 });
    expect(size).toMatchObject({ maxLength: -10, window: 10, unconfirmed: 10 });
    expect(Math.floor(size.jobs) - size.prefetchSurplus - size.unconfirmed).toBe(size.maxLength);
  });

  it('is exact when nothing varies', () => {
    expect(sizeQueue({ ...classic, serviceTimeCv: 0 })).toMatchObject({ jobs: 190, maxLength: 190 });
  });
});

describe('the sized queue', () => {
  const inputs = fc.record<QueueSizeInput>({
    maxLatencyMs: fc.integer({ min: 1, max: 600_000 }),
    serviceTimeMs: fc.integer({ min: 1, max: 10_000 }),
    serviceTimeCv: fc.integer({ min: 0, max: 490 }).map((percent) => percent / 100),
    workers: fc.integer({ min: 1, max: 20 }),
    concurrency: fc.integer({ min: 1, max: 50 }),
    prefetch: fc.integer({ min: 50, max: 100 }),
    gateways: fc.integer({ min: 1, max: 20 }),
    type: fc.constantFrom('quorum', 'classic'),
  });

  const lengthOf = (input: QueueSizeInput) => sizeQueue(input).maxLength;

  it('never grows when maxLatency shrinks', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const shorter = { ...input, maxLatencyMs: input.maxLatencyMs * 0.9 };
        expect(lengthOf(shorter)).toBeLessThanOrEqual(lengthOf(input));
      }),
    );
  });

  it('never grows when the service time grows, varies more, or more is prefetched', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { serviceTimeMs, serviceTimeCv, prefetch } = input;
        expect(lengthOf({ ...input, serviceTimeMs: serviceTimeMs * 1.1 })).toBeLessThanOrEqual(
          lengthOf(input),
        );
        expect(lengthOf({ ...input, serviceTimeCv: serviceTimeCv + 0.1 })).toBeLessThanOrEqual(
          lengthOf(input),
        );
        expect(lengthOf({ ...input, prefetch: prefetch + 1 })).toBeLessThanOrEqual(lengthOf(input));
      }),
    );
  });

  it('never grows when a handler is taken away and the window stays', () => {
    fc.assert(
      fc.property(inputs, fc.integer({ min: 1, max: 100 }), (input, window) => {
        const fewer = { ...input, window, concurrency: Math.max(1, input.concurrency - 1) };
        expect(lengthOf(fewer)).toBeLessThanOrEqual(lengthOf({ ...input, window }));
      }),
    );
  });

  it('never grows when the fleet is bound more tightly and the window stays', () => {
    fc.assert(
      fc.property(inputs, fc.integer({ min: 1, max: 1_000 }), (input, fleetConcurrency) => {
        const loose = lengthOf({ ...input, window: 10, fleetConcurrency: fleetConcurrency + 1 });
        expect(lengthOf({ ...input, window: 10, fleetConcurrency })).toBeLessThanOrEqual(loose);
        expect(loose).toBeLessThanOrEqual(lengthOf({ ...input, window: 10 }));
      }),
    );
  });

  it('is the longest one for which the default window holds and everything fits', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { maxLength, window, handlers, jobs, prefetchSurplus } = sizeQueue({
          ...input,
          type: 'quorum',
        });
        fc.pre(maxLength >= 1);
        const places = Math.floor(jobs) - prefetchSurplus;
        const taken = (length: number) =>
          length + input.gateways * defaultWindow({ maxLength: length, handlers, gateways: input.gateways });
        expect(window).toBe(defaultWindow({ maxLength, handlers, gateways: input.gateways }));
        expect(taken(maxLength)).toBeLessThanOrEqual(places);
        expect(taken(maxLength + 1)).toBeGreaterThan(places);
      }),
    );
  });
});

describe('handlerCount', () => {
  it('is workers x concurrency, and no more than the fleet may', () => {
    const workers = { workers: 3, concurrency: 5 };
    expect(handlerCount(workers)).toBe(15);
    expect([1, 14, 15, 16].map((fleetConcurrency) => handlerCount({ ...workers, fleetConcurrency }))).toEqual(
      [1, 14, 15, 15],
    );
  });
});

describe('drainRatePerSec', () => {
  it('counts no handlers beyond the fleet’s bound', () => {
    expect(drainRatePerSec({ workers: 2, concurrency: 5, fleetConcurrency: 4, serviceTimeMs: 50 })).toBe(80);
  });

  it('is what all handlers finish in a second', () => {
    expect(drainRatePerSec({ workers: 2, concurrency: 5, serviceTimeMs: 50 })).toBe(200);
  });

  it('is unknown without a service time', () => {
    expect(drainRatePerSec({ workers: 2, concurrency: 5, serviceTimeMs: undefined })).toBeUndefined();
  });
});
