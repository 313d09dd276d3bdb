import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { endFakeTime, settled } from '../../../../test/support/fake-broker.js';
import { ConfirmWindow } from './confirm-window.js';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(endFakeTime);

describe('a confirm window', () => {
  it('gives slots at once while there are any', async () => {
    const window = new ConfirmWindow(2, 10);
    expect(await window.acquire(50)).toBe(true);
    expect(await window.acquire(50)).toBe(true);
    expect(window.outstanding).toBe(2);
  });

  it('hands a slot that comes free to whoever waits longest', async () => {
    const window = new ConfirmWindow(1, 10);
    await window.acquire(50);
    const order: string[] = [];
    void window.acquire(50).then(() => order.push('first'));
    void window.acquire(50).then(() => order.push('second'));
    window.release();
    await settled();
    expect(order).toEqual(['first']);
    window.release();
    await settled();
    expect(order).toEqual(['first', 'second']);
    expect(window.outstanding).toBe(1);
  });

  it('says no when the wait is over, and forgets that waiter', async () => {
    const window = new ConfirmWindow(1, 10);
    await window.acquire(50);
    const late = window.acquire(50);
    await jest.advanceTimersByTimeAsync(49);
    const patient = window.acquire(50);
    await jest.advanceTimersByTimeAsync(1);
    expect(await late).toBe(false);
    window.release();
    expect(await patient).toBe(true);
    expect(window.outstanding).toBe(1);
  });

  it('refuses at once when as many wait as may', async () => {
    const window = new ConfirmWindow(1, 1);
    await window.acquire(50);
    const waiter = window.acquire(50);
    expect(await window.acquire(50)).toBe(false);
    window.release();
    expect(await waiter).toBe(true);
  });

  it('is idle at once when nothing is outstanding, and otherwise when the last slot comes back', async () => {
    const window = new ConfirmWindow(2, 10);
    await window.idle();
    await window.acquire(50);
    await window.acquire(50);
    let isIdle = false;
    void window.idle().then(() => (isIdle = true));
    window.release();
    await settled();
    expect(isIdle).toBe(false);
    window.release();
    await settled();
    expect(isIdle).toBe(true);
  });

  it('never has more slots out than its capacity, loses none, and serves waiters in order', async () => {
    const steps = fc.array(
      fc.oneof(fc.constant('acquire'), fc.constant('release'), fc.integer({ min: 1, max: 60 })),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 4 }),
        steps,
        async (capacity, maxWaiters, sequence) => {
          const window = new ConfirmWindow(capacity, maxWaiters);
          const granted: number[] = [];
          let held = 0;
          let asked = 0;
          for (const step of sequence) {
            if (step === 'acquire') {
              const turn = ++asked;
              void window.acquire(50).then((hasSlot) => {
                if (!hasSlot) return;
                held++;
                granted.push(turn);
              });
            } else if (step === 'release') {
              if (held === 0) continue;
              held--;
              window.release();
            } else await jest.advanceTimersByTimeAsync(Number(step));
            await settled();
            expect(held).toBeLessThanOrEqual(capacity);
            expect(window.outstanding).toBe(held);
          }
          expect(granted).toEqual([...granted].sort((a, b) => a - b));
          await jest.advanceTimersByTimeAsync(50);
          while (held-- > 0) window.release();
          expect(window.outstanding).toBe(0);
          await window.idle();
        },
      ),
    );
  });
});
