import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { QueueModel } from './mmck-found.js';
import { steadyState } from './mmck.js';

const SERVICE_TIME_MS = 50;

/** Ten handlers of 50 ms: a capacity of 200/s. */
function loaded(load: number, places: number): QueueModel {
  return {
    arrivalRatePerSec: load * 200,
    serviceTimeMs: SERVICE_TIME_MS,
    serviceTimeCv: 1,
    handlers: 10,
    places,
  };
}

describe('steadyState for exponential service times', () => {
  // The vectors of the published recursion, computed apart from this code.
  it.each([
    [0.8, 10, 9.107e-3],
    [0.95, 40, 5.9e-3],
    [1, 40, 2.239e-2],
    [1.1, 100, 9.091e-2],
    [2, 200, 0.5],
  ])('sheds as the recursion says at load %d with %d places', (load, places, shedRatio) => {
    expect(steadyState(loaded(load, places)).shedRatio / shedRatio).toBeCloseTo(1, 3);
  });

  it.each([
    [0.8, [7, 10, 10, 10]],
    [0.95, [17, 57, 80, 83]],
    [1, [20, 94, 244, 494]],
    [1.1, [27, 154, 450, 950]],
    [2, [45, 195, 495, 995]],
  ])('waits as the table says at load %d with 10, 40, 100 and 200 places', (load, waitsMs) => {
    const computed = [10, 40, 100, 200].map((places) => steadyState(loaded(load, places)).waitMeanMs);
    for (const [index, waitMs] of waitsMs.entries())
      expect(Math.abs((computed[index] ?? 0) - waitMs)).toBeLessThan(1);
  });

  it('agrees with the probabilities of all states, worked out one by one', () => {
    fc.assert(
      fc.property(models({ cvs: fc.constant(1), maxHandlers: 50, maxPlaces: 200 }), (model) => {
        const expected = stateByState(model);
        const computed = steadyState(model);
        for (const key of [
          'shedRatio',
          'utilizationRatio',
          'waitingRatio',
          'waitingMean',
          'waitMeanMs',
        ] as const)
          expect(computed[key]).toBeCloseTo(expected[key], 8);
      }),
    );
  });

  it('has nothing to wait for without places, and nothing to say without arrivals', () => {
    expect(steadyState(loaded(2, 0))).toMatchObject({ waitMeanMs: 0, waitingRatio: 0 });
    expect(steadyState(loaded(0, 40))).toEqual({
      loadRatio: 0,
      utilizationRatio: 0,
      shedRatio: 0,
      throughputPerSec: 0,
      waitingRatio: 0,
      waitMeanMs: 0,
      waitingMean: 0,
    });
  });

  it('goes on without a step through a load of 1', () => {
    const [below, at, above] = [1 - 1e-12, 1, 1 + 1e-12].map((load) => steadyState(loaded(load, 100_000)));
    expect(below?.waitMeanMs).toBeCloseTo(at?.waitMeanMs ?? 0, 1);
    expect(above?.waitMeanMs).toBeCloseTo(at?.waitMeanMs ?? 0, 1);
    expect((at?.shedRatio ?? 0) * 100_000).toBeCloseTo(1, 3);
  });

  it('bears a hundred thousand places and handlers, and the most a QoS file can say', () => {
    const busy = { ...loaded(1, 100_000), arrivalRatePerSec: 1_000_000 };
    for (const handlers of [1, 1_000, 100_000, 655_350_000])
      for (const places of [1, 100_000, 1_000_000_000]) {
        const { shedRatio, utilizationRatio, waitMeanMs } = steadyState({ ...busy, handlers, places });
        expect(shedRatio).toBeCloseTo(Math.max(0, 1 - handlers / 50_000), 4);
        expect(utilizationRatio).toBeLessThanOrEqual(1 + 1e-9);
        expect(waitMeanMs).toBeLessThanOrEqual((places * SERVICE_TIME_MS) / handlers);
      }
  });
});

describe('steadyState for any service times', () => {
  it.each([0, 0.5, 2])(
    'waits (1 + cv^2) / 2 times as long at cv %d, with places enough and close to saturation',
    (cv) => {
      const close = loaded(0.99, 100_000);
      const ratio = steadyState({ ...close, serviceTimeCv: cv }).waitMeanMs / steadyState(close).waitMeanMs;
      expect(Math.abs(ratio / ((1 + cv ** 2) / 2) - 1)).toBeLessThan(0.01);
    },
  );

  const any = models({ cvs: fc.integer({ min: 0, max: 50 }).map((tenths) => tenths / 10) });
  const slack = 1 + 1e-9;

  it('sheds a share from 0 to 1, and keeps no more handlers busy than there are', () => {
    fc.assert(
      fc.property(any, (model) => {
        const { shedRatio, utilizationRatio, waitingRatio } = steadyState(model);
        for (const ratio of [shedRatio, utilizationRatio, waitingRatio]) {
          expect(ratio).toBeGreaterThanOrEqual(0);
          expect(ratio).toBeLessThanOrEqual(slack);
        }
      }),
    );
  });

  it('accepts what the handlers do, and what is waiting is what arrives during a wait', () => {
    fc.assert(
      fc.property(any, (model) => {
        const state = steadyState(model);
        const done = (state.utilizationRatio * model.handlers * 1_000) / model.serviceTimeMs;
        expect(state.throughputPerSec / done).toBeCloseTo(1, 9);
        const shedPerSec = model.arrivalRatePerSec * state.shedRatio;
        expect((state.throughputPerSec + shedPerSec) / model.arrivalRatePerSec).toBeCloseTo(1, 9);
        expect(state.waitingMean).toBeLessThanOrEqual(model.places * slack);
      }),
    );
  });

  it('sheds less and waits longer with one more place', () => {
    fc.assert(
      fc.property(any, (model) => {
        const [fewer, more] = [model, { ...model, places: model.places + 1 }].map(steadyState);
        expect(more?.shedRatio).toBeLessThanOrEqual((fewer?.shedRatio ?? 0) * slack);
        expect((more?.waitMeanMs ?? 0) * slack).toBeGreaterThanOrEqual(fewer?.waitMeanMs ?? 0);
      }),
    );
  });

  it('sheds less and waits shorter with one more handler', () => {
    fc.assert(
      fc.property(any, (model) => {
        const [fewer, more] = [model, { ...model, handlers: model.handlers + 1 }].map(steadyState);
        expect(more?.shedRatio).toBeLessThanOrEqual((fewer?.shedRatio ?? 0) * slack);
        expect(more?.waitMeanMs).toBeLessThanOrEqual((fewer?.waitMeanMs ?? 0) * slack);
      }),
    );
  });

  it('sheds more, waits longer and gets no less done with more arrivals', () => {
    fc.assert(
      fc.property(any, (model) => {
        const busier = { ...model, arrivalRatePerSec: model.arrivalRatePerSec * 1.1 };
        const [less, more] = [model, busier].map(steadyState);
        expect((more?.shedRatio ?? 0) * slack).toBeGreaterThanOrEqual(less?.shedRatio ?? 0);
        expect((more?.waitMeanMs ?? 0) * slack).toBeGreaterThanOrEqual(less?.waitMeanMs ?? 0);
        expect((more?.throughputPerSec ?? 0) * slack).toBeGreaterThanOrEqual(less?.throughputPerSec ?? 0);
      }),
    );
  });

  it('sheds 1 - 1/load and waits for a full queue when load grows without end', () => {
    fc.assert(
      fc.property(any, (model) => {
        const capacityPerSec = (model.handlers * 1_000) / model.serviceTimeMs;
        const flooded = steadyState({ ...model, arrivalRatePerSec: 1e12 * capacityPerSec });
        expect(flooded.shedRatio).toBeCloseTo(1 - 1e-12, 13);
        const endsAhead = (flooded.waitMeanMs * model.handlers) / model.serviceTimeMs;
        expect(endsAhead).toBeLessThanOrEqual(model.places * slack);
        expect(endsAhead).toBeGreaterThan(model.places - 0.2);
      }),
    );
  });
});

interface ModelBounds {
  readonly cvs: fc.Arbitrary<number>;
  readonly maxHandlers?: number;
  readonly maxPlaces?: number;
}

function models({ cvs, maxHandlers = 2_000, maxPlaces = 5_000 }: ModelBounds): fc.Arbitrary<QueueModel> {
  const loads = fc.oneof(
    fc.constant(1),
    fc.integer({ min: 1, max: 300 }).map((percent) => percent / 100),
  );
  return fc
    .record({
      load: loads,
      serviceTimeMs: fc.integer({ min: 1, max: 1_000 }),
      serviceTimeCv: cvs,
      handlers: fc.integer({ min: 1, max: maxHandlers }),
      places: fc.integer({ min: 0, max: maxPlaces }),
    })
    .map(({ load, ...model }) => ({
      ...model,
      arrivalRatePerSec: (load * model.handlers * 1_000) / model.serviceTimeMs,
    }));
}

/** By the balance of every state with the next: as often up as down. */
function stateByState({ arrivalRatePerSec, serviceTimeMs, handlers, places }: QueueModel) {
  const offered = (arrivalRatePerSec * serviceTimeMs) / 1_000;
  const weights = [1];
  for (let n = 1; n <= handlers + places; n++)
    weights.push(((weights[n - 1] ?? 0) * offered) / Math.min(n, handlers));
  const meanOf = (valueOf: (inSystem: number) => number) =>
    weights.reduce((sum, weight, n) => sum + weight * valueOf(n), 0) /
    weights.reduce((sum, weight) => sum + weight);
  const shedRatio = meanOf((n) => (n === handlers + places ? 1 : 0));
  const waitingMean = meanOf((n) => Math.max(0, n - handlers));
  return {
    shedRatio,
    waitingMean,
    utilizationRatio: meanOf((n) => Math.min(n, handlers)) / handlers,
    waitingRatio: meanOf((n) => (n >= handlers && n < handlers + places ? 1 : 0)) / (1 - shedRatio),
    waitMeanMs: (waitingMean / (arrivalRatePerSec * (1 - shedRatio))) * 1_000,
  };
}
