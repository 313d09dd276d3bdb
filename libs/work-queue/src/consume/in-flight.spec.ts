import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { gate, settled } from '../../../../test/support/fake-broker.js';
import { InFlight } from './in-flight.js';

/** Runs items until the test ends them. */
function setUp(limit: number) {
  const running = new Map<number, () => void>();
  const started: number[] = [];
  const inFlight = new InFlight<number>(limit, (item) => {
    const end = gate();
    started.push(item);
    running.set(item, () => {
      running.delete(item);
      end.open();
    });
    return end.promise;
  });
  return { inFlight, running, started };
}

describe('handlers in flight', () => {
  it('start in order of arrival, each as soon as there is a place', async () => {
    const { inFlight, running, started } = setUp(2);
    for (const item of [1, 2, 3, 4]) inFlight.add(item);
    expect(started).toEqual([1, 2]);
    running.get(2)?.();
    await settled();
    expect(started).toEqual([1, 2, 3]);
    expect(inFlight.runningCount).toBe(2);
  });

  it('are never more than the limit, and all run, whatever their durations', async () => {
    jest.useFakeTimers();
    const durations = fc.array(fc.tuple(fc.nat(20), fc.nat(50)), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), durations, async (limit, jobs) => {
        let running = 0;
        let most = 0;
        let done = 0;
        const inFlight = new InFlight<number>(limit, async (milliseconds) => {
          most = Math.max(most, ++running);
          if (milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, milliseconds));
          running--;
          done++;
        });
        for (const [pauseMs, milliseconds] of jobs) {
          await jest.advanceTimersByTimeAsync(pauseMs);
          inFlight.add(milliseconds);
          expect(inFlight.runningCount).toBeLessThanOrEqual(limit);
        }
        const idle = inFlight.idle();
        await jest.advanceTimersByTimeAsync(50 * jobs.length);
        await idle;
        expect(most).toBeLessThanOrEqual(limit);
        expect(done).toBe(jobs.length);
      }),
      { numRuns: 50 },
    );
    jest.useRealTimers();
  });

  it('start nothing more after stop, which hands back what has not started', async () => {
    const { inFlight, running, started } = setUp(1);
    for (const item of [1, 2, 3]) inFlight.add(item);
    expect(inFlight.stop()).toEqual([2, 3]);
    inFlight.add(4);
    running.get(1)?.();
    await settled();
    expect(started).toEqual([1]);
    expect(inFlight.runningCount).toBe(0);
  });

  it('go on with later items after the waiting ones were taken away', async () => {
    const { inFlight, running, started } = setUp(1);
    for (const item of [1, 2]) inFlight.add(item);
    expect(inFlight.takeWaiting()).toEqual([2]);
    inFlight.add(3);
    running.get(1)?.();
    await settled();
    expect(started).toEqual([1, 3]);
  });

  it('are idle when the last one has ended', async () => {
    const { inFlight, running } = setUp(2);
    await inFlight.idle();
    for (const item of [1, 2]) inFlight.add(item);
    let isIdle = false;
    void inFlight.idle().then(() => (isIdle = true));
    running.get(1)?.();
    await settled();
    expect(isIdle).toBe(false);
    running.get(2)?.();
    await settled();
    expect(isIdle).toBe(true);
  });
});
