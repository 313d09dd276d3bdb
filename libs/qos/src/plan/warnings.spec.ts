import { describe, expect, it } from '@jest/globals';
import type { QueueQos } from '../schema/queue-qos.js';
import { resolveQueueQos } from '../schema/resolve-queue-qos.js';
import { warningsOf, type ChangeInput } from './warnings.js';

const sized = { maxLatency: '1s', serviceTime: '50ms', concurrency: 10 };

describe('warningsOf', () => {
  it('is silent on a change that keeps the promise', () => {
    expect(warned(sized, { ...sized, concurrency: 5, maxLatency: '2s', paused: 'hold' })).toEqual([]);
  });

  it('warns of a length with which a full queue breaks maxLatency', () => {
    expect(warned(sized, { ...sized, maxLength: 300 })).toEqual([
      {
        code: 'breaks-latency',
        message: 'in a full queue 99 of 100 jobs are done within 2091.53 ms, longer than maxLatency 1s',
      },
    ]);
  });

  it('warns of a rate with which a full queue breaks maxLatency', () => {
    expect(codes(sized, { ...sized, rate: '20/s' })).toEqual(['breaks-latency']);
    expect(codes(sized, { ...sized, rate: '250/s' })).toEqual([]);
  });

  it('warns of a promise that was broken before only if it gets worse', () => {
    const broken = { ...sized, maxLength: 300 };
    expect(codes(broken, { ...broken, alertAt: 0.5 })).toEqual([]);
    expect(codes(broken, { ...broken, maxLatency: '1.5s' })).toEqual([]);
    expect(codes(broken, { ...broken, maxLength: 301 })).toEqual(['breaks-latency']);
    expect(codes(broken, { ...broken, maxLatency: '500ms' })).toEqual(['breaks-latency']);
  });

  it('says nothing of a promise that was not made', () => {
    expect(codes({ maxLength: 5 }, { maxLength: 500 })).toEqual([]);
    expect(codes({ maxLength: 5 }, { maxLength: 500, serviceTime: '50ms' })).toEqual([]);
  });

  it('warns of a limit that a quorum queue exceeds already, which shuts the gate until it has drained to 80 %', () => {
    const shorter = { ...sized, maxLength: 50 };
    expect(warned(sized, shorter, { ready: 51 })).toEqual([
      {
        code: 'shuts-gate',
        message:
          '51 messages are ready, more than maxLength 50: gateways refuse until it has drained to 40 (80 %)',
      },
    ]);
    expect(codes(sized, shorter, { ready: 50 })).toEqual([]);
    expect(codes(sized, shorter)).toEqual([]);
  });

  it('says of a classic queue that it reopens at the first free place', () => {
    const classic = { ...sized, type: 'classic' };
    expect(warned(classic, { ...classic, maxLength: 50 }, { ready: 51 })).toEqual([
      { code: 'shuts-gate', message: expect.stringMatching(/until it has drained to 49$/) },
    ]);
  });

  it('blames no change for a queue that was too long before it', () => {
    expect(codes(sized, { ...sized, alertAt: 0.5 }, { ready: 500 })).toEqual([]);
    expect(codes(sized, { ...sized, maxLatency: '2s' }, { ready: 500 })).toEqual([]);
  });

  it('warns that a shorter drop-head queue drops what is too much', () => {
    const feed = { ...sized, overflow: 'drop-head' };
    expect(warned(feed, { ...feed, maxLength: 50 }, { ready: 80 })).toEqual([
      {
        code: 'drops-oldest',
        message: '80 messages are ready, more than maxLength 50: the oldest 30 are dropped at once',
      },
    ]);
  });

  it('warns of handlers that fleetConcurrency does not let run', () => {
    const fleet = { ...sized, fleetConcurrency: 12 };
    expect(warned(fleet, { ...fleet, workers: 2 })).toEqual([
      {
        code: 'beyond-fleet',
        message:
          '20 handlers (2 workers x concurrency 10) are more than fleetConcurrency 12: no more than that run at once',
      },
    ]);
    expect(codes(sized, { ...sized, fleetConcurrency: 8 })).toEqual([]);
    expect(codes(fleet, { ...fleet, concurrency: 12 })).toEqual([]);
  });

  it('warns when the bound of the fleet is taken away from more handlers than it let run', () => {
    const four = { ...sized, workers: 4 };
    expect(warned({ ...four, fleetConcurrency: 30 }, four)).toEqual([
      {
        code: 'beyond-fleet',
        message:
          '40 handlers (4 workers x concurrency 10) may run at once without the fleetConcurrency of 30',
      },
    ]);
    expect(codes({ ...four, fleetConcurrency: 40 }, four)).toEqual([]);
  });

  it('warns of more handlers than the downstream bears, unless there were as many before', () => {
    const twenty = { ...sized, concurrency: 20 };
    expect(warned(sized, twenty, { maxInFlight: 19 })).toEqual([
      {
        code: 'beyond-budget',
        message: 'up to 20 handlers at once, more than the 19 that the downstream bears',
      },
    ]);
    expect(codes(sized, twenty, { maxInFlight: 20 })).toEqual([]);
    expect(codes(twenty, { ...twenty, alertAt: 0.5 }, { maxInFlight: 19 })).toEqual([]);
    expect(codes(sized, { ...twenty, fleetConcurrency: 15 }, { maxInFlight: 15 })).not.toContain(
      'beyond-budget',
    );
  });

  it('warns of a pause that refuses, once', () => {
    const refusing = { ...sized, paused: 'refuse' };
    expect(warned({ ...sized, paused: 'hold' }, refusing)).toEqual([
      { code: 'refuses-all', message: 'gateways answer 503 `paused` to everything until it is resumed' },
    ]);
    expect(codes(refusing, refusing)).toEqual([]);
  });
});

type Now = Pick<ChangeInput, 'ready' | 'maxInFlight'>;

function warned(before: object, after: object, now: Now = {}) {
  return warningsOf({ before: resolved(before), after: resolved(after), ...now });
}

function codes(before: object, after: object, now: Now = {}): string[] {
  return warned(before, after, now).map(({ code }) => code);
}

function resolved(input: unknown): QueueQos {
  const result = resolveQueueQos('jobs', input);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return result.qos;
}
