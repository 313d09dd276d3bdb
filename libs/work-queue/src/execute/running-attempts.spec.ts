import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { fakeTimeInEachTest } from '../../../../test/support/fake-broker.js';
import { type Attempt, AttemptTimeout } from './attempt.js';
import { RunningAttempts } from './running-attempts.js';

const TIMEOUT_MS = 10_000;
const GRACE_MS = 30_000;

fakeTimeInEachTest();

function setUp() {
  const stuckIds: string[] = [];
  const limits = { label: 'Orders.take', timeoutMs: TIMEOUT_MS, graceMs: GRACE_MS };
  const running = new RunningAttempts(limits, ({ messageIds }) => stuckIds.push(...messageIds));
  const begin = (id: string): Attempt => running.begin([id]);
  return { running, begin, stuckIds };
}

describe('an attempt', () => {
  it('has its signal aborted at its timeout, not before, with what took too long and how long it had', () => {
    const { running, begin } = setUp();
    const attempt = begin('a');
    const { signal } = attempt;
    jest.advanceTimersByTime(TIMEOUT_MS - 1);
    expect([signal.aborted, attempt.timeout]).toEqual([false, undefined]);
    jest.advanceTimersByTime(1);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBeInstanceOf(AttemptTimeout);
    expect(signal.reason).toBe(attempt.timeout);
    expect(attempt.timeout?.message).toBe('Orders.take took longer than its timeout of 10000 ms');
    running.end(attempt);
  });

  it('has a signal that is aborted already for who asks for it after the timeout', () => {
    const { running, begin } = setUp();
    const attempt = begin('a');
    jest.advanceTimersByTime(TIMEOUT_MS);
    expect(attempt.signal.aborted).toBe(true);
    expect(attempt.signal.reason).toBe(attempt.timeout);
    running.end(attempt);
  });

  it('has one signal, however often it is asked for', () => {
    const { running, begin } = setUp();
    const attempt = begin('a');
    expect(attempt.signal).toBe(attempt.signal);
    running.end(attempt);
  });

  it('is stuck when it still runs after the grace period, which is told once, until it ends', () => {
    const { running, begin, stuckIds } = setUp();
    const attempt = begin('a');
    jest.advanceTimersByTime(TIMEOUT_MS + GRACE_MS - 1);
    expect([running.stuckCount, stuckIds]).toEqual([0, []]);
    jest.advanceTimersByTime(1);
    expect([running.stuckCount, stuckIds]).toEqual([1, ['a']]);
    jest.advanceTimersByTime(10 * GRACE_MS);
    expect([running.stuckCount, stuckIds]).toEqual([1, ['a']]);
    running.end(attempt);
    expect(running.stuckCount).toBe(0);
  });

  it('is never stuck when it ends within the grace period', () => {
    const { running, begin, stuckIds } = setUp();
    const attempt = begin('a');
    jest.advanceTimersByTime(TIMEOUT_MS + GRACE_MS - 1);
    running.end(attempt);
    jest.advanceTimersByTime(GRACE_MS);
    expect([running.stuckCount, stuckIds]).toEqual([0, []]);
  });

  it('is found late in time although an earlier one has ended', () => {
    const { running, begin } = setUp();
    const first = begin('a');
    jest.advanceTimersByTime(1);
    const second = begin('b');
    running.end(first);
    jest.advanceTimersByTime(TIMEOUT_MS - 1);
    expect(second.timeout).toBeUndefined();
    jest.advanceTimersByTime(1);
    expect(second.timeout).toBeDefined();
    running.end(second);
  });

  it('is found late in time although an earlier one is in its long grace period', () => {
    const { running, begin } = setUp();
    const first = begin('a');
    jest.advanceTimersByTime(TIMEOUT_MS);
    const second = begin('b');
    jest.advanceTimersByTime(TIMEOUT_MS - 1);
    expect(second.signal.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(second.signal.aborted).toBe(true);
    running.end(first);
    running.end(second);
  });

  it('is found stuck in time although a later one began and ended meanwhile', () => {
    const { running, begin, stuckIds } = setUp();
    const first = begin('a');
    jest.advanceTimersByTime(TIMEOUT_MS);
    running.end(begin('b'));
    jest.advanceTimersByTime(GRACE_MS - 1);
    expect(stuckIds).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(stuckIds).toEqual(['a']);
    running.end(first);
  });

  it('is not stuck before its own grace period is over, when a later one is found late', () => {
    const { running, begin, stuckIds } = setUp();
    const first = begin('a');
    jest.advanceTimersByTime(GRACE_MS - 1);
    const second = begin('b');
    jest.advanceTimersByTime(TIMEOUT_MS);
    expect(second.timeout).toBeDefined();
    expect(stuckIds).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(stuckIds).toEqual(['a']);
    running.end(first);
    running.end(second);
  });

  it('is found stuck in time although a later one has much of its timeout left', () => {
    const { running, begin, stuckIds } = setUp();
    const first = begin('a');
    jest.advanceTimersByTime(TIMEOUT_MS + GRACE_MS - 1);
    const second = begin('b');
    jest.advanceTimersByTime(1);
    expect(stuckIds).toEqual(['a']);
    running.end(first);
    running.end(second);
  });
});

describe('the attempts of a handler', () => {
  it('share one timer, and leave none behind', () => {
    const { running, begin } = setUp();
    const attempts: Attempt[] = [];
    for (let count = 0; count < 100; count++) {
      attempts.push(begin(`${count}`));
      jest.advanceTimersByTime(10);
      expect(jest.getTimerCount()).toBe(1);
    }
    for (const attempt of attempts) running.end(attempt);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('need no timer for those that are stuck', () => {
    const { running, begin } = setUp();
    const attempt = begin('a');
    jest.advanceTimersByTime(TIMEOUT_MS + GRACE_MS);
    expect(jest.getTimerCount()).toBe(0);
    running.end(attempt);
  });

  it('have all their signals aborted when the process must end, in time, late or stuck', () => {
    const { running, begin } = setUp();
    const stuck = begin('a');
    jest.advanceTimersByTime(TIMEOUT_MS + GRACE_MS);
    const late = begin('b');
    jest.advanceTimersByTime(TIMEOUT_MS);
    const inTime = begin('c');
    const { signal } = inTime;
    const reason = new Error('the drain deadline has passed');
    running.abandon(reason);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(reason);
    expect(inTime.timeout).toBeUndefined();
    // The first reason stands.
    expect(late.signal.reason).toBe(late.timeout);
    expect(stuck.signal.reason).toBe(stuck.timeout);
  });

  it('keep no process from its end once they were abandoned', () => {
    const { running, begin } = setUp();
    begin('a');
    running.abandon(new Error('the drain deadline has passed'));
    expect(jest.getTimerCount()).toBe(0);
  });

  it('are late and stuck exactly when they should be, whenever they begin and end', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ passMs: fc.integer({ min: 1, max: 20_000 }) }) },
      { weight: 3, arbitrary: fc.constant('begin' as const) },
      { weight: 2, arbitrary: fc.record({ end: fc.nat(10) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { running, begin } = setUp();
        const attempts: Attempt[] = [];
        for (const taken of steps) {
          if (taken === 'begin') attempts.push(begin('a'));
          else if ('passMs' in taken) jest.advanceTimersByTime(taken.passMs);
          else
            for (const attempt of attempts.splice(taken.end % (attempts.length + 1), 1)) running.end(attempt);
          const ages = attempts.map(({ startedAt }) => performance.now() - startedAt);
          expect(attempts.map(({ timeout }) => timeout !== undefined)).toEqual(
            ages.map((age) => age >= TIMEOUT_MS),
          );
          expect(running.stuckCount).toBe(ages.filter((age) => age >= TIMEOUT_MS + GRACE_MS).length);
        }
        for (const attempt of attempts) running.end(attempt);
        expect([running.stuckCount, jest.getTimerCount()]).toEqual([0, 0]);
      }),
    );
  });
});
