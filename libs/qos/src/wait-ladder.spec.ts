import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WAIT_STEPS_MS, retryStepMs, waitStepMs, waitStepsOf } from './wait-ladder.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const usual = { initialMs: SECOND, maxMs: 30 * SECOND, multiplier: 2 };

const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** Any backoff that a QoS file can say, also with fractions of a millisecond; both ends near steps, too. */
const waits = fc.oneof(
  fc.double({ min: 1, max: 24 * HOUR, noNaN: true }),
  fc.double({ min: 1, max: MINUTE, noNaN: true }),
  fc
    .record({
      stepMs: fc.constantFrom(...WAIT_STEPS_MS),
      ratio: fc.constantFrom(0.5, 1, 2),
      offMs: fc.double({ min: -1, max: 1, noNaN: true }),
    })
    .map(({ stepMs, ratio, offMs }) => Math.min(24 * HOUR, stepMs * ratio + offMs)),
);
const backoffs = fc
  .record({
    ends: fc.tuple(waits, waits),
    multiplier: fc.oneof(fc.constant(1), fc.double({ min: 1, max: 10, noNaN: true })),
  })
  .map(({ ends, multiplier }) => ({ initialMs: Math.min(...ends), maxMs: Math.max(...ends), multiplier }));
const retries = fc
  .record({ backoff: backoffs, attempt: fc.integer({ min: 1, max: 1_000 }) })
  .map(({ backoff, attempt }) => ({ ...backoff, attempt }));

describe('the steps of the wait ladder', () => {
  it('go from a tenth of a second to a day, each at least twice the one before', () => {
    expect([WAIT_STEPS_MS.at(0), WAIT_STEPS_MS.at(-1), WAIT_STEPS_MS.length]).toEqual([100, 24 * HOUR, 18]);
    const ratios = WAIT_STEPS_MS.slice(1).map((stepMs, index) => stepMs / (WAIT_STEPS_MS[index] ?? 0));
    expect(Math.min(...ratios)).toBe(2);
  });
});

describe('waitStepMs', () => {
  it.each([
    [0, 100],
    [100, 100],
    [100.5, 200],
    [3 * SECOND, 5 * SECOND],
    [31 * SECOND, MINUTE],
    [23 * HOUR, 24 * HOUR],
    [25 * HOUR, 24 * HOUR],
  ])('rounds %d ms up to %d ms', (delayMs, stepMs) => {
    expect(waitStepMs(delayMs)).toBe(stepMs);
  });
});

describe('waitStepsOf', () => {
  it('leaves out the step that only half of the initial wait itself would need', () => {
    expect(waitStepsOf(usual)).toEqual([1, 2, 5, 10, 30].map((seconds) => seconds * SECOND));
    expect(waitStepsOf({ ...usual, initialMs: 999 })[0]).toBe(500);
  });

  it.each([
    [{ initialMs: 1, maxMs: 1 }, [100]],
    [{ initialMs: 150, maxMs: 450 }, [100, 200, 500]],
    [{ initialMs: 24 * HOUR, maxMs: 24 * HOUR }, [24 * HOUR]],
  ])('covers both ends of %j', (ends, steps) => {
    expect(waitStepsOf({ ...ends, multiplier: 2 })).toEqual(steps);
  });

  it('needs nothing above the initial wait when the waits do not grow', () => {
    expect(waitStepsOf({ ...usual, initialMs: 1_500, multiplier: 1 })).toEqual([SECOND, 2 * SECOND]);
  });
});

describe('retryStepMs', () => {
  it('goes up the ladder attempt by attempt', () => {
    const steps = [1, 2, 3, 4, 5, 6].map((attempt) => retryStepMs({ ...usual, attempt }, 0.7));
    expect(steps).toEqual([1, 2, 5, 10, 30, 30].map((seconds) => seconds * SECOND));
  });

  it('is a step that the backoff can reach, for any retry', () => {
    fc.assert(
      fc.property(retries, randoms, (retry, random) => {
        expect(waitStepsOf(retry)).toContain(retryStepMs(retry, random));
      }),
    );
  });

  it('is longer than half the ceiling, and no longer than the ceiling needs', () => {
    fc.assert(
      fc.property(retries, randoms, (retry, random) => {
        const ceilingMs = Math.min(retry.maxMs, retry.initialMs * retry.multiplier ** (retry.attempt - 1));
        expect(retryStepMs(retry, random)).toBeGreaterThan(ceilingMs / 2);
        expect(retryStepMs(retry, random)).toBeLessThanOrEqual(waitStepMs(ceilingMs));
      }),
    );
  });

  it('is left to chance between two neighbours, as often as the wait lies below the lower one', () => {
    const draws = Array.from({ length: 1_000 }, (_, index) =>
      retryStepMs({ ...usual, attempt: 4 }, index / 1_000),
    );
    expect(draws.filter((stepMs) => stepMs === 5 * SECOND)).toHaveLength(251);
    expect(draws.filter((stepMs) => stepMs === 10 * SECOND)).toHaveLength(749);
  });

  it('reaches both neighbours of any ceiling that has a step well within its random half, and no other', () => {
    const between = fc.record({
      index: fc.integer({ min: 0, max: WAIT_STEPS_MS.length - 2 }),
      ratio: fc.double({ min: 1.05, max: 1.95, noNaN: true }),
    });
    fc.assert(
      fc.property(between, randoms, ({ index, ratio }, random) => {
        const [lowerMs = 0, upperMs = 0] = WAIT_STEPS_MS.slice(index);
        const ceilingMs = lowerMs * ratio;
        const retry = { initialMs: ceilingMs, maxMs: ceilingMs, multiplier: 2, attempt: 1 };
        expect([0, 0.999].map((drawn) => retryStepMs(retry, drawn))).toEqual([lowerMs, upperMs]);
        expect([lowerMs, upperMs]).toContain(retryStepMs(retry, random));
      }),
    );
  });
});
