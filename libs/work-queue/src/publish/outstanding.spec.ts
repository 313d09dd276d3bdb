import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { endFakeTime, settled } from '../../../../test/support/fake-broker.js';
import { Outstanding, type OutstandingPublish } from './outstanding.js';

const TIMEOUT_MS = 1_000;

let outstanding: Outstanding;

beforeEach(() => {
  jest.useFakeTimers();
  outstanding = new Outstanding(TIMEOUT_MS);
});

afterEach(() => {
  outstanding.close();
  endFakeTime();
});

/** A publish that writes down what happens to it. */
function add(): { publish: OutstandingPublish; log: string[] } {
  const log: string[] = [];
  const publish: OutstandingPublish = {
    messageId: 'id-1',
    bytes: 1,
    deadline: performance.now() + TIMEOUT_MS,
    resolve: (end) => log.push(end),
    answered: (answer) => {
      log.push('answer');
      outstanding.settle(publish, answer);
    },
  };
  outstanding.add(publish);
  return { publish, log };
}

describe('an outstanding publish', () => {
  it('ends with the answer, once what it held is free', () => {
    const { publish, log } = add();
    publish.answered('nacked');
    jest.advanceTimersByTime(TIMEOUT_MS);
    expect(log).toEqual(['answer', 'nacked']);
  });

  it('ends in silence at its own deadline, whoever else waits', () => {
    const early = add();
    jest.advanceTimersByTime(400);
    const late = add();
    jest.advanceTimersByTime(600);
    expect(early.log).toEqual(['silence']);
    expect(late.log).toEqual([]);
    jest.advanceTimersByTime(399);
    expect(late.log).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(late.log).toEqual(['silence']);
  });

  it('frees what it held when the answer comes after all, and ends only once', () => {
    const { publish, log } = add();
    jest.advanceTimersByTime(TIMEOUT_MS);
    publish.answered('acked');
    expect(log).toEqual(['silence', 'answer']);
  });

  it('ends at once when the broker reads nothing any more', () => {
    const { publish, log } = add();
    outstanding.giveUp();
    expect(log).toEqual(['blocked']);
    jest.advanceTimersByTime(TIMEOUT_MS);
    publish.answered('acked');
    expect(log).toEqual(['blocked', 'answer']);
  });

  it('does not end when it was never sent', () => {
    const { publish, log } = add();
    outstanding.forget(publish);
    jest.advanceTimersByTime(TIMEOUT_MS);
    outstanding.giveUp();
    expect(log).toEqual([]);
  });

  it.each<[string, (publishes: OutstandingPublish[]) => void]>([
    ['answered', (publishes) => publishes.forEach((publish) => publish.answered('acked'))],
    ['given up at its deadline', () => jest.advanceTimersByTime(TIMEOUT_MS)],
    ['given up in an alarm', () => outstanding.giveUp()],
    ['never sent', (publishes) => publishes.forEach((publish) => outstanding.forget(publish))],
  ])('is waited for by whoever closes, until the last is %s', async (_how, end) => {
    await outstanding.idle();
    const publishes = [add().publish, add().publish];
    let isIdle = false;
    void outstanding.idle().then(() => (isIdle = true));
    await settled();
    expect(isIdle).toBe(false);
    end(publishes);
    await settled();
    expect(isIdle).toBe(true);
  });

  it('costs no timer of its own', () => {
    add();
    add();
    add();
    expect(jest.getTimerCount()).toBe(1);
    outstanding.close();
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('a broker', () => {
  it('is silent from the first deadline that passed until the next answer, to whatever publish', () => {
    add();
    jest.advanceTimersByTime(TIMEOUT_MS - 1);
    const next = add();
    expect(outstanding.isSilent).toBe(false);
    jest.advanceTimersByTime(1);
    expect(outstanding.isSilent).toBe(true);
    next.publish.answered('nacked');
    expect(outstanding.isSilent).toBe(false);
  });

  it('is not silent because of a publish that was answered in time, or that an alarm ended', () => {
    add().publish.answered('acked');
    add();
    outstanding.giveUp();
    jest.advanceTimersByTime(TIMEOUT_MS);
    expect(outstanding.isSilent).toBe(false);
  });
});

describe('outstanding publishes', () => {
  it('end exactly once each, with the answer if it came in time', () => {
    const step = fc.oneof(
      fc.constant('add' as const),
      fc.constant('give up' as const),
      fc.record({ answer: fc.nat(20) }),
      fc.record({ passMs: fc.integer({ min: 1, max: 700 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const all: Array<{
          log: string[];
          expected: string[];
          publish: OutstandingPublish;
          deadline: number;
        }> = [];
        for (const taken of steps) {
          const waiting = all.filter(({ expected }) => expected.length === 0);
          if (taken === 'add') all.push({ ...add(), expected: [], deadline: performance.now() + TIMEOUT_MS });
          else if (taken === 'give up') {
            outstanding.giveUp();
            for (const { expected } of waiting) expected.push('blocked');
          } else if ('answer' in taken) {
            const answered = all.filter(({ expected }) => !expected.includes('answer'));
            const one = answered[taken.answer % Math.max(1, answered.length)];
            one?.publish.answered('acked');
            one?.expected.push(...(one.expected.length === 0 ? ['answer', 'acked'] : ['answer']));
          } else {
            jest.advanceTimersByTime(taken.passMs);
            for (const { expected, deadline } of waiting)
              if (deadline <= performance.now()) expected.push('silence');
          }
          expect(all.map(({ log }) => log)).toEqual(all.map(({ expected }) => expected));
          expect(jest.getTimerCount()).toBeLessThanOrEqual(1);
        }
        jest.advanceTimersByTime(TIMEOUT_MS);
        expect(all.filter(({ log }) => log.length === 0)).toEqual([]);
        expect(jest.getTimerCount()).toBeLessThanOrEqual(1);
      }),
    );
  });
});
