import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { drainedAtMost, drainMs } from './drain.js';

const workers = { serviceTimeMs: 50, concurrencyTotal: 10 };

describe('drainMs', () => {
  it('is the mean time that busy workers need', () => {
    expect(drainMs({ ...workers, messages: 200 })).toBe(1_000);
  });

  it('is unknown as long as the service time is', () => {
    expect(drainMs({ ...workers, messages: 200, serviceTimeMs: undefined })).toBeUndefined();
  });
});

describe('drainedAtMost', () => {
  it('is one job per handler at once, and then twice what the mean service time gives', () => {
    expect([0, 50, 1_000].map((elapsedMs) => drainedAtMost({ ...workers, elapsedMs }))).toEqual([
      10, 30, 410,
    ]);
  });

  it('is anything when nobody has said how long a job takes', () => {
    expect(drainedAtMost({ ...workers, elapsedMs: 0, serviceTimeMs: undefined })).toBe(Infinity);
  });

  it('covers what handlers of constant speed can have finished, however far along their first job was', () => {
    const elapsed = fc.integer({ min: 0, max: 10_000 });
    const handlers = fc.integer({ min: 1, max: 100 });
    fc.assert(
      fc.property(
        elapsed,
        fc.integer({ min: 1, max: 1_000 }),
        handlers,
        (elapsedMs, serviceTimeMs, count) => {
          const finished = Math.ceil(elapsedMs / serviceTimeMs) * count;
          const most = drainedAtMost({ elapsedMs, serviceTimeMs, concurrencyTotal: count });
          expect(most).toBeGreaterThanOrEqual(finished);
        },
      ),
    );
  });
});
