import { describe, expect, it, jest } from '@jest/globals';
import { fakeTimeInEachTest, gate, settled } from '../../../../test/support/fake-broker.js';
import { WaitingBound } from './waiting-bound.js';

const close = fakeTimeInEachTest();

function setUp({ maxWaiting = 100 } = {}) {
  const changes: Array<[isFull: boolean, waiting: number]> = [];
  const readAt: number[] = [];
  /** What the broker would say. */
  const broker: { waiting: number | undefined; answer: () => Promise<void> } = {
    waiting: 0,
    answer: () => Promise.resolve(),
  };
  const read = async (): Promise<number | undefined> => {
    readAt.push(performance.now());
    await broker.answer();
    return broker.waiting;
  };
  const changed = (isFull: boolean, waiting: number): void => void changes.push([isFull, waiting]);
  const bound = new WaitingBound({ maxWaiting, read, changed });
  close(async () => bound.stop());
  const add = (count: number): void => {
    for (let i = 0; i < count; i++) bound.added();
  };
  return { bound, broker, changes, readAt, add };
}

describe('work that waits for its next attempt', () => {
  it('says nothing while there is room', async () => {
    const { broker, changes, add } = setUp();
    broker.waiting = 99;
    add(1);
    await settled();
    expect(changes).toEqual([]);
  });

  it('is full at the bound, as the broker counts it', async () => {
    const { broker, changes, add } = setUp();
    broker.waiting = 100;
    add(1);
    await settled();
    expect(changes).toEqual([[true, 100]]);
  });

  it('counts what this process adds until the next reading', async () => {
    const { broker, changes, readAt, add } = setUp();
    broker.waiting = 97;
    add(1);
    await settled();
    add(2);
    expect(changes).toEqual([]);
    add(1);
    expect(changes).toEqual([[true, 100]]);
    expect(readAt).toHaveLength(1);
  });

  it('counts what is added while it is read on top, since that may not be in it', async () => {
    const { broker, changes, add } = setUp();
    const answer = gate();
    broker.answer = () => answer.promise;
    broker.waiting = 98;
    add(1);
    await settled();
    add(2);
    expect(changes).toEqual([]);
    answer.open();
    await settled();
    expect(changes).toEqual([[true, 100]]);
  });

  it('does not count twice what a reading has in it', async () => {
    const { broker, changes, add } = setUp();
    broker.waiting = 60;
    add(1);
    await settled();
    add(30);
    await jest.advanceTimersByTimeAsync(250);
    broker.waiting = 91;
    add(1);
    await settled();
    add(8);
    expect(changes).toEqual([]);
    add(1);
    expect(changes).toEqual([[true, 100]]);
  });

  it('never decides by an old reading, also while the new one takes its time', async () => {
    const { broker, changes, add } = setUp();
    broker.waiting = 99;
    add(1);
    await settled();
    await jest.advanceTimersByTimeAsync(60_000);
    const answer = gate();
    broker.answer = () => answer.promise;
    broker.waiting = 0;
    add(50);
    await jest.advanceTimersByTimeAsync(1_000);
    add(1);
    expect(changes).toEqual([]);
    answer.open();
    await settled();
    expect(changes).toEqual([]);
  });

  it('is read no more often than every quarter of a second', async () => {
    const { broker, readAt, add } = setUp();
    for (let i = 0; i < 1_000; i++) {
      broker.waiting = i < 300 ? 0 : i < 700 ? 100 : 50;
      add(1);
      await jest.advanceTimersByTimeAsync(7);
    }
    const gaps = readAt.slice(1).map((at, index) => at - (readAt[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(250);
    expect(readAt.length).toBeGreaterThan(20);
  });
});

describe('a bound that is reached', () => {
  it('is looked at again, though nothing is added, and left once there is room', async () => {
    const { broker, changes, readAt, add } = setUp();
    broker.waiting = 100;
    add(1);
    await settled();
    await jest.advanceTimersByTimeAsync(499);
    expect(readAt).toHaveLength(1);
    broker.waiting = 89;
    await jest.advanceTimersByTimeAsync(1);
    expect(changes).toEqual([
      [true, 100],
      [false, 89],
    ]);
    await jest.advanceTimersByTimeAsync(60_000);
    expect([readAt.length, jest.getTimerCount()]).toEqual([2, 0]);
  });

  it('is looked at again also when it was reached by what was added here', async () => {
    const { broker, changes, add } = setUp();
    broker.waiting = 99;
    add(1);
    await settled();
    add(1);
    broker.waiting = 10;
    await jest.advanceTimersByTimeAsync(500);
    expect(changes).toEqual([
      [true, 100],
      [false, 10],
    ]);
  });

  it('is not left before a tenth of it is free', async () => {
    const { broker, changes, add } = setUp();
    broker.waiting = 100;
    add(1);
    await settled();
    broker.waiting = 90;
    await jest.advanceTimersByTimeAsync(5_000);
    expect(changes).toEqual([[true, 100]]);
    broker.waiting = 89;
    await jest.advanceTimersByTimeAsync(500);
    expect(changes).toHaveLength(2);
  });

  it('of one is left when nothing waits', async () => {
    const { broker, changes, add } = setUp({ maxWaiting: 1 });
    broker.waiting = 1;
    add(1);
    await settled();
    broker.waiting = 0;
    await jest.advanceTimersByTimeAsync(500);
    expect(changes).toEqual([
      [true, 1],
      [false, 0],
    ]);
  });

  it('leaves no timer, and is silent, once stopped', async () => {
    const { bound, broker, changes, add } = setUp();
    broker.waiting = 100;
    add(1);
    await settled();
    bound.stop();
    expect(jest.getTimerCount()).toBe(0);
    broker.waiting = 0;
    add(5);
    await jest.advanceTimersByTimeAsync(1_000);
    expect([changes.length, jest.getTimerCount()]).toEqual([1, 0]);
  });

  it('leaves no timer when it is stopped while it is looked at', async () => {
    const { bound, broker, changes, add } = setUp();
    broker.waiting = 100;
    add(1);
    await settled();
    const answer = gate();
    broker.answer = () => answer.promise;
    broker.waiting = 0;
    await jest.advanceTimersByTimeAsync(500);
    bound.stop();
    answer.open();
    await settled();
    expect([changes, jest.getTimerCount()]).toEqual([[[true, 100]], 0]);
  });
});

describe('a broker that cannot be read', () => {
  it.each([
    ['says nothing', () => Promise.resolve()],
    ['fails', () => Promise.reject(new Error('no connection'))],
  ])('and %s lets what was added here since the last reading decide', async (_how, answer) => {
    const { broker, changes, add } = setUp({ maxWaiting: 5 });
    broker.waiting = undefined;
    broker.answer = answer;
    add(1);
    await settled();
    add(3);
    expect(changes).toEqual([]);
    add(1);
    expect(changes).toEqual([[true, 5]]);
  });

  it('keeps a bound reached until it can be read again', async () => {
    const { broker, changes, readAt, add } = setUp();
    broker.waiting = 100;
    add(1);
    await settled();
    broker.answer = () => Promise.reject(new Error('no connection'));
    await jest.advanceTimersByTimeAsync(5_000);
    expect([changes.length, readAt.length]).toEqual([1, 11]);
    broker.answer = () => Promise.resolve();
    broker.waiting = 0;
    await jest.advanceTimersByTimeAsync(500);
    expect(changes).toEqual([
      [true, 100],
      [false, 0],
    ]);
  });
});
