import { describe, expect, it, jest } from '@jest/globals';
import { fakeableTimers, fakeTimeInEachTest, settled } from '../../../../test/support/fake-broker.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { StoreTrouble } = await import('./store-trouble.js');

function setUp() {
  const stopping = new AbortController();
  const trouble = new StoreTrouble(stopping.signal);
  /** How long the pause of one failure lasts, when nothing else happens. */
  const pauseMs = async (): Promise<number> => {
    const startedAt = performance.now();
    const paused = trouble.unstored();
    await jest.runAllTimersAsync();
    await paused;
    return performance.now() - startedAt;
  };
  return { stopping, trouble, pauseMs };
}

fakeTimeInEachTest();

describe('work whose copy could not be stored', () => {
  it('keeps its place for a second', async () => {
    const { trouble } = setUp();
    let isOver = false;
    void trouble.unstored().then(() => (isOver = true));
    await jest.advanceTimersByTimeAsync(999);
    expect(isOver).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(isOver).toBe(true);
  });

  it('keeps it as long as this has lasted since the first that failed, however many fail', async () => {
    const { trouble } = setUp();
    const startedAt = performance.now();
    const ends: number[] = [];
    for (let failure = 0; failure < 6; failure++) {
      void trouble.unstored().then(() => ends.push(performance.now() - startedAt));
      await jest.advanceTimersByTimeAsync(500);
    }
    await jest.runAllTimersAsync();
    // Each its own pause: of one second while this has not lasted longer.
    expect(ends).toEqual([1_000, 1_500, 2_000, 3_000, 4_000, 5_000]);
  });

  it('keeps it longer each time it fails again, up to half a minute', async () => {
    const { pauseMs } = setUp();
    const pauses: number[] = [];
    for (let failure = 0; failure < 8; failure++) pauses.push(await pauseMs());
    expect(pauses).toEqual([1_000, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it('keeps it for half a minute however long this lasts', async () => {
    const { trouble, pauseMs } = setUp();
    for (let minute = 0; minute < 7 * 24 * 60; minute++) {
      void trouble.unstored();
      await jest.advanceTimersByTimeAsync(30_000);
    }
    expect(await pauseMs()).toBe(30_000);
  });

  it('keeps it shortly again when nothing has failed for half a minute', async () => {
    const { pauseMs } = setUp();
    for (let failure = 0; failure < 6; failure++) await pauseMs();
    await jest.advanceTimersByTimeAsync(30_001);
    expect([await pauseMs(), await pauseMs(), await pauseMs()]).toEqual([1_000, 1_000, 2_000]);
  });

  it('keeps it as long though somebody sets the clock back', async () => {
    const { pauseMs } = setUp();
    for (let failure = 0; failure < 3; failure++) await pauseMs();
    jest.setSystemTime(Date.now() - 3_600_000);
    expect(await pauseMs()).toBe(4_000);
  });

  it('keeps it shortly again after a copy was stored', async () => {
    const { trouble, pauseMs } = setUp();
    for (let failure = 0; failure < 4; failure++) await pauseMs();
    trouble.stored();
    await jest.advanceTimersByTimeAsync(60_000);
    expect([await pauseMs(), await pauseMs(), await pauseMs()]).toEqual([1_000, 1_000, 2_000]);
  });

  it('waits no longer when we stop, and leaves no timer', async () => {
    const { stopping, trouble } = setUp();
    const ends: string[] = [];
    for (const id of ['a', 'b']) void trouble.unstored().then(() => ends.push(id));
    stopping.abort();
    await settled();
    expect([ends, jest.getTimerCount()]).toEqual([['a', 'b'], 0]);
  });

  it('does not wait at all once we stop', async () => {
    const { stopping, trouble } = setUp();
    stopping.abort();
    await trouble.unstored();
    expect(jest.getTimerCount()).toBe(0);
  });
});
