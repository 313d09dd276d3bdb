import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { endFakeTime, settled } from '../../../../test/support/fake-broker.js';
import { ConfirmWindow } from './confirm-window.js';

const LARGE = 1_000_000;
const WAITERS_PER_SLOT = 10;

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(endFakeTime);

describe('a confirm window', () => {
  it('gives slots at once while there are any', async () => {
    const window = new ConfirmWindow({ messages: 2, bytes: LARGE });
    expect(window.tryAcquire(3)).toBe(true);
    expect(await window.acquire(4, 50)).toBe(true);
    expect(window.tryAcquire(1)).toBe(false);
    expect(window).toMatchObject({ outstanding: 2, outstandingBytes: 7 });
  });

  it('has room for so many bytes, too', async () => {
    const window = new ConfirmWindow({ messages: 10, bytes: 10 });
    expect(window.tryAcquire(6)).toBe(true);
    expect(window.tryAcquire(5)).toBe(false);
    expect(window.tryAcquire(4)).toBe(true);
    window.release(6);
    expect(window.outstandingBytes).toBe(4);
  });

  it('lets a message through that is larger than all of it once nothing else is outstanding', async () => {
    const window = new ConfirmWindow({ messages: 10, bytes: 10 });
    window.tryAcquire(1);
    const large = window.acquire(11, 50);
    window.release(1);
    expect(await large).toBe(true);
    expect(window.tryAcquire(0)).toBe(false);
    window.release(11);
  });

  it('hands a slot that comes free to whoever waits longest', async () => {
    const window = new ConfirmWindow({ messages: 1, bytes: LARGE });
    window.tryAcquire(1);
    const order: string[] = [];
    void window.acquire(1, 50).then(() => order.push('first'));
    void window.acquire(1, 50).then(() => order.push('second'));
    window.release(1);
    await settled();
    expect(order).toEqual(['first']);
    window.release(1);
    await settled();
    expect(order).toEqual(['first', 'second']);
    expect(window.outstanding).toBe(1);
  });

  it('lets nobody past who fits while another waits that does not', async () => {
    const window = new ConfirmWindow({ messages: 10, bytes: 10 });
    window.tryAcquire(6);
    const large = window.acquire(8, 50);
    expect(window.tryAcquire(1)).toBe(false);
    window.release(6);
    expect(await large).toBe(true);
  });

  it('says no when the wait is over, and serves who waited behind', async () => {
    const window = new ConfirmWindow({ messages: 10, bytes: 10 });
    window.tryAcquire(6);
    const late = window.acquire(8, 50);
    await jest.advanceTimersByTimeAsync(49);
    const small = window.acquire(1, 50);
    await jest.advanceTimersByTimeAsync(1);
    expect(await late).toBe(false);
    expect(await small).toBe(true);
    expect(window).toMatchObject({ outstanding: 2, outstandingBytes: 7 });
  });

  it('refuses at once when as many wait as may', async () => {
    const window = new ConfirmWindow({ messages: 1, bytes: LARGE });
    window.tryAcquire(1);
    const waiters = Array.from({ length: WAITERS_PER_SLOT }, () => window.acquire(1, 50));
    expect(await window.acquire(1, 50)).toBe(false);
    await jest.advanceTimersByTimeAsync(50);
    expect(new Set(await Promise.all(waiters))).toEqual(new Set([false]));
  });

  it('refuses at once when as many bytes wait as may, and lets others wait afterwards', async () => {
    const window = new ConfirmWindow({ messages: 1, bytes: 10 });
    window.tryAcquire(1);
    for (let round = 0; round < 2; round++) {
      const waiters = [window.acquire(6, 50), window.acquire(4, 50)];
      expect(await window.acquire(1, 50)).toBe(false);
      await jest.advanceTimersByTimeAsync(49);
      window.release(1);
      expect(await waiters[0]).toBe(true);
      window.release(6);
      expect(await waiters[1]).toBe(true);
      window.release(4);
      window.tryAcquire(1);
    }
  });
});

interface Asker {
  readonly turn: number;
  readonly bytes: number;
}

/** A window, and what those who use it know of it. */
class WatchedWindow {
  readonly window: ConfirmWindow;
  readonly held: Asker[] = [];
  readonly granted: number[] = [];
  readonly waiting = new Set<Asker>();
  readonly problems: string[] = [];
  private asked = 0;

  constructor(messages: number, bytes: number) {
    this.window = new ConfirmWindow({ messages, bytes });
  }

  acquire(bytes: number): void {
    const asker = { turn: this.asked++, bytes };
    this.waiting.add(asker);
    void this.window.acquire(bytes, 50).then((hasSlot) => {
      if (!this.waiting.delete(asker)) this.problems.push(`asker ${asker.turn} was answered twice`);
      if (!hasSlot) return;
      this.held.push(asker);
      this.granted.push(asker.turn);
    });
  }

  release(which: number): void {
    const [asker] = this.held.splice(which % Math.max(1, this.held.length), 1);
    if (asker) this.window.release(asker.bytes);
  }

  /** What should be is written as what is wrong when it is not. */
  look(): void {
    const { window, held, waiting } = this;
    const { messages, bytes } = window.size;
    const heldBytes = sumOf(held);
    const [front] = waiting;
    const wrongs = {
      'the count': window.outstanding !== held.length || window.outstandingBytes !== heldBytes,
      'too many': held.length > messages,
      'too large': heldBytes > bytes && held.length > 1,
      'too many wait': waiting.size > messages * WAITERS_PER_SLOT,
      'too many bytes wait': sumOf(waiting) > bytes && waiting.size > 1,
      'one waits for nothing': front && held.length < messages && heldBytes + front.bytes <= bytes,
    };
    for (const [wrong, isSo] of Object.entries(wrongs)) if (isSo) this.problems.push(wrong);
  }
}

function sumOf(askers: Iterable<Asker>): number {
  return [...askers].reduce((sum, { bytes }) => sum + bytes, 0);
}

describe('the slots of a confirm window', () => {
  it('are never more or larger than its size, go out in order, and all come back', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ acquire: fc.integer({ min: 0, max: 25 }) }) },
      { weight: 3, arbitrary: fc.record({ release: fc.nat(10) }) },
      { weight: 1, arbitrary: fc.record({ passMs: fc.integer({ min: 1, max: 60 }) }) },
    );
    const size = { messages: fc.integer({ min: 1, max: 3 }), bytes: fc.integer({ min: 1, max: 20 }) };
    await fc.assert(
      fc.asyncProperty(
        size.messages,
        size.bytes,
        fc.array(step, { maxLength: 60 }),
        async (messages, bytes, steps) => {
          const watched = new WatchedWindow(messages, bytes);
          for (const taken of steps) {
            if ('acquire' in taken) watched.acquire(taken.acquire);
            else if ('release' in taken) watched.release(taken.release);
            else await jest.advanceTimersByTimeAsync(taken.passMs);
            await settled();
            watched.look();
            expect(watched.problems).toEqual([]);
          }
          await jest.advanceTimersByTimeAsync(50);
          expect(watched.waiting.size).toBe(0);
          expect(watched.granted).toEqual([...watched.granted].sort((a, b) => a - b));
          while (watched.held.length > 0) watched.release(0);
          expect(watched.window).toMatchObject({ outstanding: 0, outstandingBytes: 0 });
        },
      ),
    );
  });
});
