import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { DueAttempt } from './delivery.js';
import { Fifo } from './fifo.js';
import { RetryQueue } from './retry-queue.js';

function attemptAt(dueAtMs: number): DueAttempt {
  const payload = { event: 'ping', bytes: Buffer.alloc(0), headers: {} };
  return { delivery: { id: 'id', payload, plannedAtMs: 0, attempts: 1, standing: undefined }, dueAtMs };
}

test('retries come out in the order they are due, whatever order they went in', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000)), (times) => {
      const queue = new RetryQueue();
      for (const dueAtMs of times) queue.push(attemptAt(dueAtMs));
      const popped = times.map(() => queue.popDue(1_000)?.dueAtMs);
      expect(popped).toEqual(times.toSorted((a, b) => a - b));
      expect(queue.nextDueAtMs).toBe(Number.POSITIVE_INFINITY);
    }),
  );
});

test('a retry does not come out before it is due', () => {
  const queue = new RetryQueue();
  queue.push(attemptAt(5));
  expect(queue.popDue(4.9)).toBeUndefined();
  expect(queue.popDue(5)?.dueAtMs).toBe(5);
});

test('the queue keeps its order past the point where it forgets what was shifted', () => {
  const queue = new Fifo<number>();
  const shifted: (number | undefined)[] = [];
  for (let value = 0; value < 5_000; value += 1) {
    queue.push(value);
    if (value % 4 !== 0) shifted.push(queue.shift());
  }
  const all = [...shifted, ...queue.drain()];
  expect(all).toEqual(Array.from({ length: 5_000 }, (_, value) => value));
  expect(queue.size).toBe(0);
  expect(queue.shift()).toBeUndefined();
});
