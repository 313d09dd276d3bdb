import { describe, expect, it, jest } from '@jest/globals';
import { FakeConnection, fakeableTimers, fakeTimeInEachTest } from '../../../../test/support/fake-broker.js';
import type { QueueReading } from '../broker/broker.port.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { deletionOver } = await import('./deleted-queue.js');

fakeTimeInEachTest();

const EMPTY: QueueReading = { readyMessages: 0, consumers: 0 };

/** A connection whose looks at the queue give these, the last of them again and again. */
function lookedAt(...readings: ReadonlyArray<QueueReading | Error | undefined>) {
  const connection = new FakeConnection();
  let looks = 0;
  connection.inspect = () => {
    const reading = readings[Math.min(looks++, readings.length - 1)];
    return reading instanceof Error ? Promise.reject(reading) : Promise.resolve(reading);
  };
  const stop = new AbortController();
  const over = { after: undefined as number | undefined, error: undefined as unknown };
  const startedAt = performance.now();
  void deletionOver(connection, 'orders', stop.signal).then(
    () => (over.after = performance.now() - startedAt),
    (error: unknown) => (over.error = error),
  );
  return { connection, over, stop, looks: () => looks };
}

describe('a queue whose consumer was cancelled', () => {
  it('is waited for until its name is gone', async () => {
    const { over } = lookedAt(EMPTY, EMPTY, undefined);
    await jest.advanceTimersByTimeAsync(99);
    expect(over.after).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1);
    expect(over.after).toBe(100);
  });

  it('is there, when others consume it', async () => {
    const { over, looks } = lookedAt({ readyMessages: 0, consumers: 1 });
    await jest.advanceTimersByTimeAsync(0);
    expect([over.after, looks()]).toEqual([0, 1]);
  });

  it('was not deleted, when its name is still there after two seconds', async () => {
    const { over } = lookedAt(EMPTY);
    await jest.advanceTimersByTimeAsync(1_999);
    expect(over.after).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1);
    expect(over.after).toBe(2_000);
  });

  it('is looked at again after a look that failed', async () => {
    const { over } = lookedAt(new Error('no answer'), undefined);
    await jest.advanceTimersByTimeAsync(50);
    expect(over.after).toBe(50);
  });

  it('is not waited for once the connection is lost', async () => {
    const { connection, over } = lookedAt(EMPTY);
    await jest.advanceTimersByTimeAsync(10);
    connection.lose('gone');
    await jest.advanceTimersByTimeAsync(40);
    expect(over.after).toBe(50);
  });

  it('is not waited for by one that stops', async () => {
    const { over, stop } = lookedAt(EMPTY);
    await jest.advanceTimersByTimeAsync(10);
    stop.abort();
    await jest.advanceTimersByTimeAsync(0);
    expect(over.error).toBeInstanceOf(Error);
  });
});
