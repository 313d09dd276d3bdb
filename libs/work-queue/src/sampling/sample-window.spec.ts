import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { QueueSample } from './queue-sample.js';
import { SampleWindow } from './sample-window.js';
import { NO_TIMES } from './time-counts.js';
import { TimeHistogram } from './time-histogram.js';
import { summarizeTimes } from './summarize-times.js';

describe('the window of a queue’s samples', () => {
  it('knows nothing before the first sample, nor once all are too old', () => {
    const window = new SampleWindow('orders');
    expect(window.last(60, 0)).toBeUndefined();
    window.add(sampleOf(1), 500);
    expect(window.last(60, 59_999)).toBeDefined();
    expect(window.last(60, 60_000)).toBeUndefined();
  });

  it('adds up what came in the same second, and in the last ones', () => {
    const window = new SampleWindow('orders');
    window.add(sampleOf(1), 100);
    window.add(sampleOf(2), 900);
    window.add(sampleOf(4), 5_000);
    window.add(sampleOf(8), 14_000);
    expect(window.last(1, 14_500)?.accepted).toBe(8);
    expect(window.last(10, 14_500)?.accepted).toBe(12);
    expect(window.last(60, 14_500)?.accepted).toBe(15);
  });

  it('has the percentiles of all times of the last minute, and of no older ones', () => {
    const window = new SampleWindow('orders');
    window.add(sampleOf(0, [5_000, 5_000]), 0);
    for (let second = 1; second <= 60; second++) window.add(sampleOf(0, [second]), second * 1_000);
    const { service } = window.last(60, 60_000) ?? sampleOf(0);
    expect(service.total).toBe(60);
    expect(summarizeTimes(service)?.p50Ms).toBeCloseTo(30, 0);
    expect(summarizeTimes(service)?.p99Ms).toBeCloseTo(60, 0);
  });

  it('holds, at any time, what came in the seconds asked for, whenever it came', () => {
    const arrival = fc.record({ afterMs: fc.nat(20_000), accepted: fc.nat(9) });
    fc.assert(
      fc.property(fc.array(arrival), fc.integer({ min: 1, max: 60 }), (arrivals, seconds) => {
        const window = new SampleWindow('orders');
        const came: Array<{ second: number; accepted: number }> = [];
        let nowMs = 0;
        for (const { afterMs, accepted } of arrivals) {
          nowMs += afterMs;
          window.add(sampleOf(accepted), nowMs);
          const nowSecond = Math.floor(nowMs / 1_000);
          came.push({ second: nowSecond, accepted });
          const recent = came.filter(({ second }) => second > nowSecond - seconds);
          const sum = recent.reduce((total, each) => total + each.accepted, 0);
          expect(window.last(seconds, nowMs)?.accepted).toBe(sum);
        }
      }),
    );
  });
});

function sampleOf(accepted: number, serviceTimesMs: readonly number[] = []): QueueSample {
  const service = new TimeHistogram();
  for (const timeMs of serviceTimesMs) service.record(timeMs);
  return {
    queue: 'orders',
    fromMs: 0,
    toMs: 1_000,
    accepted,
    unknown: 0,
    refused: {},
    ends: {},
    service: service.counts(),
    failedService: NO_TIMES,
    wait: NO_TIMES,
  };
}
