import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { forecastOptions, type OptionsForecast } from './forecast-options.js';
import type { Forecast } from './forecast.js';

/** Ten handlers of 50 ms: 200/s. */
const sized = { maxLatency: '1s', serviceTime: '50ms', concurrency: 10, type: 'classic' };

describe('the forecast of a queue past saturation', () => {
  const saturated = forecastAt(360, sized);

  it('finishes what the handlers can and sheds the rest', () => {
    expect(saturated).toMatchObject({ drainRatePerSec: 200, maxLength: 127, places: 127 });
    expect(saturated.loadRatio).toBeCloseTo(1.8, 9);
    expect(saturated.utilizationRatio).toBeCloseTo(1, 9);
    expect(saturated.acceptedPerSec).toBeCloseTo(200, 9);
    expect(saturated.shedPerSec).toBeCloseTo(160, 9);
    expect(saturated.shedRatio).toBeCloseTo(1 - 1 / 1.8, 9);
  });

  it('has the queue full, which is what the sizing allows for', () => {
    expect(saturated.waitingMean).toBeCloseTo(127 - 1 / 0.8, 6);
    expect(saturated.waitMeanMs).toBeCloseTo((127 - 1 / 0.8) * 5, 6);
    expect(saturated.waitP50Ms).toBeCloseTo(saturated.waitMeanMs, -1);
    expect(saturated.promise).toMatchObject({ maxLatencyMs: 1_000, isKept: true });
    expect(saturated.promise?.spareMs).toBeCloseTo(1_000 - saturated.sojournP99Ms, 9);
  });

  it('says plainly that more queue buys only latency', () => {
    expect(saturated.advice).toContain('saturated: 360/s arrive, 200/s can be done, 160/s (44.4 %) are shed');
    expect(saturated.advice).toContain(
      'more queue buys only latency, more handlers or a shorter serviceTime',
    );
    expect(saturated.advice).toMatch(/keeps its promise of 1s with \d+(\.\d)? ms to spare$/);
  });
});

describe('the forecast of a queue below saturation', () => {
  it('has a job wait when all handlers happen to be busy, and nearly nothing shed', () => {
    const { waitMeanMs, waitP50Ms, shedRatio, utilizationRatio, advice } = forecastAt(160, sized);
    expect(waitMeanMs).toBeCloseTo(10.2, 1);
    expect(waitP50Ms).toBe(0);
    expect(shedRatio).toBeLessThan(1e-9);
    expect(utilizationRatio).toBeCloseTo(0.8, 9);
    expect(advice).toContain('not saturated: 80 % of the handlers busy, practically nothing is shed');
  });

  it('has the sojourn of the service alone where nothing waits', () => {
    expect(forecastAt(1, sized).sojournP99Ms).toBeCloseTo(-Math.log(0.01) * 50, 6);
    expect(forecastAt(0, sized)).toMatchObject({ acceptedPerSec: 0, shedPerSec: 0, waitP99Ms: 0 });
  });

  it('says that a longer queue would take the bursts that a short one sheds', () => {
    const short = forecastAt(190, { ...sized, maxLatency: undefined, maxLength: 10 });
    expect(short.advice).toBe(
      'not saturated: 90.6 % of the handlers busy, but 8.9/s (4.7 %) are shed in bursts, ' +
        'which a longer queue would take and keep waiting',
    );
    expect(short.promise).toBeUndefined();
  });
});

describe('what can wait', () => {
  it('is also what is prefetched beyond the handlers and what lands on a full quorum queue', () => {
    const outright = { serviceTime: '50ms', maxLength: 100, concurrency: 10 };
    expect(forecastAt(400, { ...outright, prefetch: 15, workers: 2, gateways: 3, window: 4 }).places).toBe(
      122,
    );
    expect(forecastAt(400, { ...outright, type: 'classic', gateways: 3, window: 4 }).places).toBe(100);
  });

  it('is served by no more handlers than the fleet may run', () => {
    const fleet = forecastAt(400, {
      serviceTime: '50ms',
      maxLength: 100,
      concurrency: 10,
      fleetConcurrency: 5,
    });
    expect(fleet.drainRatePerSec).toBe(100);
    expect(fleet.acceptedPerSec).toBeCloseTo(100, 6);
  });
});

describe('the forecast of workers with a rate', () => {
  const outright = { serviceTime: '50ms', concurrency: 10, maxLength: 100, type: 'classic' };

  it('finishes what the rate of all workers lets start, with handlers to spare', () => {
    const limited = forecastAt(190, { ...outright, workers: 2, rate: '33/s' });
    expect(limited).toMatchObject({ drainRatePerSec: 66, places: 116 });
    expect(limited.acceptedPerSec).toBeCloseTo(66, 6);
    expect(limited.utilizationRatio).toBeCloseTo((66 * 0.05) / 20, 6);
    expect(limited.advice).toContain('more queue buys only latency, a higher rate gets more done');
  });

  it('is the same as without one that the handlers cannot reach', () => {
    expect(forecastAt(190, { ...outright, rate: '200/s' })).toEqual(forecastAt(190, outright));
  });
});

describe('the promise', () => {
  it('is broken by a queue that was set too long outright, and says by how much', () => {
    const { promise, sojournP99Ms, advice } = forecastAt(360, { ...sized, maxLength: 300 });
    expect(promise).toMatchObject({ maxLatencyMs: 1_000, isKept: false });
    expect(promise?.spareMs).toBeCloseTo(1_000 - sojournP99Ms, 9);
    expect(promise?.spareMs).toBeLessThan(-500);
    expect(advice).toMatch(/breaks its promise of 1s by \d+(\.\d)? ms$/);
  });

  it('is kept to the millisecond by a sized queue when nothing varies', () => {
    const { promise } = forecastAt(100_000, { ...sized, serviceTimeCv: 0 });
    expect(promise?.isKept).toBe(true);
    expect(promise?.spareMs).toBeCloseTo(0, 3);
  });

  it('is kept by a sized queue under any load', () => {
    const inputs = fc.record({
      maxLatencyMs: fc.integer({ min: 100, max: 5_000 }),
      serviceTimeMs: fc.integer({ min: 10, max: 100 }),
      serviceTimeCv: fc.integer({ min: 0, max: 10 }).map((quarters) => quarters / 4),
      concurrency: fc.integer({ min: 1, max: 50 }),
      load: fc.integer({ min: 1, max: 40 }).map((tenths) => tenths / 10),
      type: fc.constantFrom('classic', 'quorum'),
    });
    fc.assert(
      fc.property(inputs, ({ maxLatencyMs, serviceTimeMs, load, ...rest }) => {
        const options = { ...rest, maxLatency: `${maxLatencyMs}ms`, serviceTime: `${serviceTimeMs}ms` };
        const arrivalRatePerSec = (load * rest.concurrency * 1_000) / serviceTimeMs;
        const result = forecastOptions({ name: 'jobs', options, arrivalRatePerSec });
        fc.pre(result.ok);
        expect(forecastOf(result).promise?.isKept).toBe(true);
      }),
    );
  });
});

describe('forecastOptions', () => {
  it('gives the problems of options that do not go together', () => {
    const result = forecastOptions({
      name: 'jobs',
      options: { ...sized, prefetch: 5 },
      arrivalRatePerSec: 100,
    });
    expect(messagesOf(result)).toEqual([
      'queues.jobs.prefetch: expected at least the concurrency of 10, got: 5',
    ]);
  });

  it('has nothing to say without a service time', () => {
    const result = forecastOptions({ name: 'jobs', options: { maxLength: 10 }, arrivalRatePerSec: 100 });
    expect(messagesOf(result)).toEqual([
      'queues.jobs.serviceTime: expected a duration, to forecast from, got: nothing',
    ]);
  });
});

function forecastAt(arrivalRatePerSec: number, options: Record<string, unknown>): Forecast {
  return forecastOf(forecastOptions({ name: 'jobs', options, arrivalRatePerSec }));
}

function forecastOf(result: OptionsForecast): Forecast {
  if (!result.ok) throw new Error(messagesOf(result).join('\n'));
  return result.forecast;
}

function messagesOf(result: OptionsForecast): string[] {
  return result.ok ? [] : result.problems.map(({ message }) => message);
}
