import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { regularizedGammaP } from './gamma.js';
import type { QueueModel } from './mmck-found.js';
import { waitQuantileMs } from './mmck-wait.js';

const model: QueueModel = {
  arrivalRatePerSec: 190,
  serviceTimeMs: 50,
  serviceTimeCv: 1,
  handlers: 10,
  places: 40,
};

describe('waitQuantileMs', () => {
  it('is inverted by the mixture of Erlang distributions that an arrival finds', () => {
    const inputs = fc.record({
      load: fc.oneof(
        fc.constant(1),
        fc.integer({ min: 30, max: 250 }).map((percent) => percent / 100),
      ),
      handlers: fc.integer({ min: 1, max: 30 }),
      places: fc.integer({ min: 1, max: 120 }),
      p: fc.constantFrom(0.5, 0.9, 0.99, 0.999),
    });
    fc.assert(
      fc.property(inputs, ({ load, handlers, places, p }) => {
        const loaded = { ...model, handlers, places, arrivalRatePerSec: load * handlers * 20 };
        const quantileMs = waitQuantileMs(loaded, p);
        const startedBy = startedWithin(loaded, quantileMs);
        // At 0, more than that many may start at once.
        expect(quantileMs === 0 ? Math.min(startedBy, p) : startedBy).toBeCloseTo(p, 7);
      }),
    );
  });

  it('is 0 where that many start at once, and where there is no place to wait', () => {
    expect(waitQuantileMs({ ...model, arrivalRatePerSec: 100 }, 0.5)).toBe(0);
    expect(waitQuantileMs({ ...model, arrivalRatePerSec: 0 }, 0.99)).toBe(0);
    expect(waitQuantileMs({ ...model, arrivalRatePerSec: 900, places: 0 }, 0.99)).toBe(0);
  });

  it('is that of a memoryless wait for a single handler with places enough', () => {
    const single = { ...model, handlers: 1, places: 100_000, arrivalRatePerSec: 16 };
    // P(wait > t) = load x exp(-(1 - load) t / S), with a load of 0.8.
    expect(waitQuantileMs(single, 0.99)).toBeCloseTo((50 / 0.2) * Math.log(0.8 / 0.01), 5);
    expect(waitQuantileMs(single, 0.5)).toBeCloseTo((50 / 0.2) * Math.log(0.8 / 0.5), 5);
  });

  it('is a full queue and no more when nothing varies and the load is twice the capacity', () => {
    const constant = { ...model, serviceTimeCv: 0, arrivalRatePerSec: 400, places: 190 };
    expect(waitQuantileMs(constant, 0.99)).toBeCloseTo(950, 5);
    expect(waitQuantileMs(constant, 0.99)).toBeLessThanOrEqual(950);
  });

  it('bears weights that no double could hold', () => {
    const deep = { ...model, arrivalRatePerSec: 400, places: 5_000 };
    expect(waitQuantileMs(deep, 0.5) / 25_000).toBeCloseTo(1, 2);
  });

  it('spreads around a full queue past saturation as the normal law of sizing says', () => {
    const flooded = { ...model, arrivalRatePerSec: 4_000, places: 2_500 };
    for (const serviceTimeCv of [0.25, 0.5, 1, 2]) {
      const spreadMs = 2.326 * serviceTimeCv * Math.sqrt(2_500) * 5;
      expect(waitQuantileMs({ ...flooded, serviceTimeCv }, 0.99) - 12_500).toBeGreaterThan(spreadMs * 0.97);
      expect(waitQuantileMs({ ...flooded, serviceTimeCv }, 0.99) - 12_500).toBeLessThan(spreadMs * 1.06);
    }
  });

  it('goes on without a step through a load of 1, and where a cv is taken for 0', () => {
    const quantileAt = (load: number) =>
      waitQuantileMs({ ...model, places: 5_000, arrivalRatePerSec: load * 200 }, 0.99);
    expect(quantileAt(1 - 1e-9) / quantileAt(1)).toBeCloseTo(1, 4);
    expect(quantileAt(1 + 1e-9) / quantileAt(1)).toBeCloseTo(1, 4);
    const varying = (serviceTimeCv: number) => waitQuantileMs({ ...model, serviceTimeCv, places: 200 }, 0.99);
    expect(varying(0.0201) / varying(0.0199)).toBeCloseTo(1, 1);
  });

  it('never falls with a higher probability, more places or a busier queue', () => {
    const inputs = fc.record({
      load: fc.integer({ min: 10, max: 300 }),
      serviceTimeCv: fc.constantFrom(0, 0.5, 1, 2),
      handlers: fc.integer({ min: 1, max: 100 }),
      places: fc.integer({ min: 0, max: 500 }),
    });
    const slack = 1 + 1e-6;
    fc.assert(
      fc.property(inputs, ({ load, ...given }) => {
        const input = { ...model, ...given, arrivalRatePerSec: (load / 5) * given.handlers };
        const p99Ms = waitQuantileMs(input, 0.99) * slack;
        expect(p99Ms).toBeGreaterThanOrEqual(waitQuantileMs(input, 0.9));
        const longer = waitQuantileMs({ ...input, places: input.places + 1 }, 0.9) * slack;
        expect(longer).toBeGreaterThanOrEqual(waitQuantileMs(input, 0.9));
        const busier =
          waitQuantileMs({ ...input, arrivalRatePerSec: input.arrivalRatePerSec * 1.1 }, 0.9) * slack;
        expect(busier).toBeGreaterThanOrEqual(waitQuantileMs(input, 0.9));
      }),
    );
  });
});

/** Share of accepted jobs of cv 1 that start within a time, summed over all they can find. */
function startedWithin(
  { arrivalRatePerSec, serviceTimeMs, handlers, places }: QueueModel,
  timeMs: number,
): number {
  const offered = (arrivalRatePerSec * serviceTimeMs) / 1_000;
  let weight = 1;
  let accepted = 0;
  let started = 0;
  for (let n = 0; n < handlers + places; n++) {
    accepted += weight;
    const ends = n - handlers + 1;
    started += weight * (ends <= 0 ? 1 : regularizedGammaP(ends, (timeMs * handlers) / serviceTimeMs));
    weight *= offered / Math.min(n + 1, handlers);
  }
  return started / accepted;
}
