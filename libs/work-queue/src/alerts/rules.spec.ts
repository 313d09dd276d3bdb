import { describe, expect, it } from '@jest/globals';
import { NOTHING_KNOWN } from '../../../../test/support/pictures.js';
import type { QueuePicture } from './alert.js';
import { judgeFilling } from './filling.rule.js';
import { judgeOverflow } from './overflow.rule.js';
import { judgePromise } from './promise.rule.js';
import type { Judgement, Rule } from './rule.js';
import { judgeServiceTime } from './service-time.rule.js';
import { judgeShedding } from './shedding.rule.js';
import { judgeWorkers } from './workers.rule.js';

type Mark = Judgement['mark'];
type Case = readonly [Partial<QueuePicture>, Mark];

const REJECTS = { wanted: 'reject-publish', inForce: 'reject-publish', decidedBy: 'queue argument' } as const;

describe('a queue is filling', () => {
  const limits = { maxLength: 100, alertAt: 0.7 };

  it.each<Case>([
    [{ ...limits, ready: 0 }, 'under'],
    [{ ...limits, ready: 62 }, 'under'],
    [{ ...limits, ready: 63 }, 'between'],
    [{ ...limits, ready: 69 }, 'between'],
    [{ ...limits, ready: 70 }, 'over'],
    [{ ...limits, ready: 111 }, 'over'],
    [{ ...limits }, 'unknown'],
    [{ ready: 70, alertAt: 0.7 }, 'unknown'],
    [{ ready: 70, maxLength: 100 }, 'unknown'],
  ])('by what is known as %j: %s', (known, mark) => {
    expect(markOf(judgeFilling, known)).toBe(mark);
  });

  it('is said with its values, and what to do', () => {
    expect(messageOf(judgeFilling, { maxLength: 116, alertAt: 0.7, ready: 92 })).toBe(
      'queue orders is 79 % full (92 of 116 ready, alert at 70 %): once full it refuses work; ' +
        'add workers or concurrency, or find out why jobs take longer or come faster',
    );
  });

  it('is said otherwise of one that is paused, or that drops', () => {
    const filling = { ...limits, ready: 92 };
    expect(messageOf(judgeFilling, { ...filling, isPaused: true })).toContain('it is paused; resume it');
    const overflow = { ...REJECTS, inForce: 'drop-head' };
    expect(messageOf(judgeFilling, { ...filling, overflow })).toContain('it drops its oldest work');
  });
});

describe('a promise is broken', () => {
  const promised = { maxLatencyMs: 1_000 };

  it.each<Case>([
    [{ ...promised, wait: { count: 100, p99Ms: 1_001 } }, 'over'],
    [{ ...promised, wait: { count: 99, p99Ms: 1_001 } }, 'unknown'],
    [{ ...promised, wait: { count: 100, p99Ms: 1_000 } }, 'between'],
    [{ ...promised, wait: { count: 1, p99Ms: 901 } }, 'between'],
    [{ ...promised, wait: { count: 1, p99Ms: 900 } }, 'under'],
    [{ ...promised, wait: { count: 0, p99Ms: 0 }, ready: 0 }, 'under'],
    [{ ...promised, wait: { count: 0, p99Ms: 0 }, ready: 1 }, 'unknown'],
    [{ ...promised, wait: { count: 0, p99Ms: 0 } }, 'unknown'],
    [{ ...promised }, 'unknown'],
    [{ wait: { count: 100, p99Ms: 1_001 } }, 'unknown'],
  ])('by what is known as %j: %s', (known, mark) => {
    expect(markOf(judgePromise, known)).toBe(mark);
  });

  it('is said with its values, and what to do', () => {
    expect(messageOf(judgePromise, { ...promised, wait: { count: 3_120, p99Ms: 1_437.6 } })).toBe(
      'in queue orders 99 of 100 jobs waited up to 1440ms (3120 in the last minute, promise 1s): ' +
        'the queue is longer than its workers can work off in time; ' +
        'compare workers, concurrency and serviceTime with what really runs, or promise less',
    );
  });
});

describe('a service time is off', () => {
  const of = (meanMs: number, count = 100, cv = 1): Partial<QueuePicture> => ({
    declaredServiceTimeMs: 100,
    service: { count, meanMs, cv },
  });

  it.each<Case>([
    [of(151), 'over'],
    [of(150), 'between'],
    [of(141), 'between'],
    [of(140), 'under'],
    [of(100), 'under'],
    [of(60), 'under'],
    [of(59), 'between'],
    [of(50), 'between'],
    [of(49), 'over'],
    [of(300, 99, 1), 'unknown'],
    [of(300, 400, 2), 'over'],
    [of(300, 399, 2), 'unknown'],
    [of(300, 30, 0), 'over'],
    [of(300, 29, 0), 'unknown'],
    [{ declaredServiceTimeMs: 100 }, 'unknown'],
    [{ ...of(300), declaredServiceTimeMs: undefined }, 'unknown'],
  ])('by what is known as %j: %s', (known, mark) => {
    expect(markOf(judgeServiceTime, known)).toBe(mark);
  });

  it('is said with the values to put into the file', () => {
    expect(messageOf(judgeServiceTime, of(182.4, 3_120, 0.84))).toBe(
      'a job of queue orders takes 182ms on average (3120 in the last minute, serviceTime is 100ms): ' +
        'the queue is too long for its promise; ' +
        'if that is how it stays, set serviceTime: 182ms and serviceTimeCv: 0.8',
    );
    expect(messageOf(judgeServiceTime, of(3.21, 10_000, 7))).toContain(
      'refuses too early; if that is how it stays, set serviceTime: 3.21ms and serviceTimeCv: 5',
    );
  });
});

describe('a queue is shedding', () => {
  it.each<Case>([
    [{ publishes: { offered: 1_000, shed: { 'queue-full': 11 } } }, 'over'],
    [{ publishes: { offered: 1_000, shed: { 'queue-full': 10 } } }, 'between'],
    [{ publishes: { offered: 1_000, shed: { 'queue-full': 6, 'gateway-busy': 5 } } }, 'over'],
    [{ publishes: { offered: 100_000, shed: { 'queue-full': 100 } } }, 'over'],
    [{ publishes: { offered: 100_000, shed: { 'queue-full': 99 } } }, 'between'],
    [{ publishes: { offered: 100_000, shed: {} } }, 'under'],
    [{ publishes: { offered: 0, shed: {} } }, 'under'],
    [{}, 'unknown'],
  ])('by what is known as %j: %s', (known, mark) => {
    expect(markOf(judgeShedding, known)).toBe(mark);
  });

  it('is said with its share and reasons, and what to do about the most frequent', () => {
    const publishes = { offered: 12_000, shed: { 'gateway-busy': 10, 'queue-full': 230 } };
    expect(messageOf(judgeShedding, { publishes })).toBe(
      'queue orders shed 240 of 12000 publishes in the last 10 s (2 %: queue-full 230, gateway-busy 10): ' +
        'more comes than is worked off: add workers or concurrency, or have clients send less',
    );
  });

  it('for a reason it does not know sends people to the log', () => {
    expect(messageOf(judgeShedding, { publishes: { offered: 5, shed: { moon: 5 } } })).toContain(
      '(100 %: moon 5): see the log of the gateways',
    );
  });
});

describe('a queue has no workers', () => {
  it.each<Case>([
    [{ consumers: 0, isPaused: false }, 'over'],
    [{ consumers: 1, isPaused: false }, 'under'],
    [{ consumers: 1 }, 'under'],
    [{ consumers: 0, isPaused: true }, 'under'],
    [{ consumers: 0 }, 'unknown'],
    [{ isPaused: false }, 'unknown'],
  ])('by what is known as %j: %s', (known, mark) => {
    expect(markOf(judgeWorkers, known)).toBe(mark);
  });

  it('is said with what waits for them, if that is known', () => {
    expect(messageOf(judgeWorkers, { consumers: 0, isPaused: false, ready: 7 })).toBe(
      'queue orders has no consumer and 7 ready messages: start its workers, or see in their logs why they do not consume',
    );
    expect(messageOf(judgeWorkers, { consumers: 0, isPaused: false })).toContain('has no consumer: start');
  });
});

describe('an overflow is wrong', () => {
  it.each<Case>([
    [{ overflow: REJECTS }, 'under'],
    [{ overflow: { ...REJECTS, inForce: 'drop-head' } }, 'over'],
    [{ overflow: { ...REJECTS, inForce: 'reject-publish-dlx' } }, 'over'],
    [{ overflow: { ...REJECTS, wanted: 'drop-head', inForce: 'drop-head' } }, 'under'],
    [{ overflow: { ...REJECTS, wanted: 'drop-head' } }, 'over'],
    [{}, 'unknown'],
  ])('by what is known as %j: %s', (known, mark) => {
    expect(markOf(judgeOverflow, known)).toBe(mark);
  });

  it('is said with who decides it, and what it costs', () => {
    const overflow = {
      ...REJECTS,
      inForce: 'drop-head',
      decidedBy: 'drop-head by policy "ttl" (priority 7)',
    };
    expect(messageOf(judgeOverflow, { overflow })).toBe(
      'overflow of queue orders is drop-head (drop-head by policy "ttl" (priority 7)), not reject-publish: ' +
        'when it is full, confirmed work is dropped; change or remove what decides it',
    );
  });
});

function markOf(rule: Rule, known: Partial<QueuePicture>): Mark {
  return rule({ ...NOTHING_KNOWN, ...known }).mark;
}

function messageOf(rule: Rule, known: Partial<QueuePicture>): string {
  const judgement = rule({ ...NOTHING_KNOWN, ...known });
  if (!('message' in judgement)) throw new Error(`expected a message, got: ${judgement.mark}`);
  return judgement.message;
}
