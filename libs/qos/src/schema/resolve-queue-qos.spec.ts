import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { QueueQos } from './queue-qos.js';
import { resolveQueueQos } from './resolve-queue-qos.js';

const sized = { maxLatency: '1s', serviceTime: '50ms' };

describe('resolveQueueQos', () => {
  it('fills in every default', () => {
    expect(resolved(sized)).toEqual({
      maxLatencyMs: 1_000,
      serviceTimeMs: 50,
      serviceTimeCv: 1,
      workers: 1,
      concurrency: 10,
      prefetch: 10,
      fleetConcurrency: undefined,
      ratePerSec: undefined,
      gateways: 1,
      type: 'quorum',
      overflow: 'reject-publish',
      maxLength: 116,
      isMaxLengthExplicit: false,
      maxWaiting: 116,
      window: 11,
      windowBytes: 8_388_608,
      alertAt: 0.7,
      shedLowAt: 0.8,
      paused: 'no',
      maxAttempts: 5,
      backoff: { initialMs: 1_000, maxMs: 30_000, multiplier: 2 },
      breakAfter: 10,
      timeoutMs: 30_000,
      timeoutGraceMs: 30_000,
    });
  });

  it('takes every option that is given', () => {
    const given = {
      maxLatency: '2s',
      serviceTime: '20ms',
      serviceTimeCv: 0.5,
      workers: 3,
      concurrency: 4,
      prefetch: 6,
      fleetConcurrency: 10,
      rate: '30/m',
      gateways: 2,
      type: 'classic',
      overflow: 'drop-head',
      maxLength: 500,
      maxWaiting: 50,
      window: 7,
      windowBytes: 65_536,
      alertAt: 0.5,
      shedLowAt: 0.6,
      paused: 'hold',
      maxAttempts: 1,
      backoff: { initial: '100ms', max: '1m', multiplier: 3 },
      breakAfter: 0,
      timeout: '5s',
      timeoutGrace: '10s',
    };
    expect(resolved(given)).toEqual({
      maxLatencyMs: 2_000,
      serviceTimeMs: 20,
      serviceTimeCv: 0.5,
      workers: 3,
      concurrency: 4,
      prefetch: 6,
      fleetConcurrency: 10,
      ratePerSec: 0.5,
      gateways: 2,
      type: 'classic',
      overflow: 'drop-head',
      maxLength: 500,
      isMaxLengthExplicit: true,
      maxWaiting: 50,
      window: 7,
      windowBytes: 65_536,
      alertAt: 0.5,
      shedLowAt: 0.6,
      paused: 'hold',
      maxAttempts: 1,
      backoff: { initialMs: 100, maxMs: 60_000, multiplier: 3 },
      breakAfter: 0,
      timeoutMs: 5_000,
      timeoutGraceMs: 10_000,
    });
  });

  it('is frozen through and through', () => {
    const qos = resolved(sized);
    expect([Object.isFrozen(qos), Object.isFrozen(qos.backoff)]).toEqual([true, true]);
  });

  it('gives prefetch and concurrency each other’s value when only one is given', () => {
    expect(resolved({ ...sized, prefetch: 4 })).toMatchObject({ prefetch: 4, concurrency: 4 });
    expect(resolved({ ...sized, concurrency: 3 })).toMatchObject({ prefetch: 3, concurrency: 3 });
  });

  it('needs neither maxLatency nor serviceTime when maxLength is set outright', () => {
    const qos = resolved({ maxLength: 5 });
    expect(qos).toMatchObject({ maxLength: 5, isMaxLengthExplicit: true, window: 10 });
    expect([qos.maxLatencyMs, qos.serviceTimeMs]).toEqual([undefined, undefined]);
  });

  it('keeps a maxLength that was set even if another would follow from maxLatency', () => {
    expect(resolved({ ...sized, maxLength: 5 })).toMatchObject({ maxLength: 5, maxLatencyMs: 1_000 });
  });

  it('lets as many messages wait for a retry as the queue may hold, unless told otherwise', () => {
    expect(resolved({ maxLength: 5 })).toMatchObject({ maxWaiting: 5 });
    expect(resolved({ ...sized, maxWaiting: 7 })).toMatchObject({ maxLength: 116, maxWaiting: 7 });
  });

  it('sizes for the handlers of the whole fleet where those are fewer than workers x concurrency', () => {
    const four = { ...sized, workers: 4, concurrency: 10, prefetch: 10 };
    const bounded = resolved({ ...four, fleetConcurrency: 20 });
    expect([bounded.maxLength, bounded.window, bounded.fleetConcurrency]).toEqual([227, 22, 20]);
    const { maxLength, window } = resolved(four);
    expect(resolved({ ...four, fleetConcurrency: 41 })).toMatchObject({ maxLength, window });
  });

  it('gives a default window that matches the length it belongs to', () => {
    expect(resolved({ ...sized, type: 'classic' })).toMatchObject({ maxLength: 127, window: 12 });
    expect(resolved({ maxLength: 5_000, gateways: 2 })).toMatchObject({ window: 100 });
  });

  it('never throws, and every problem says where, what was expected and what was given', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (name, input) => {
        const result = resolveQueueQos(name, input);
        for (const problem of result.ok ? [] : result.problems) {
          expect(problem.path.slice(0, 2)).toEqual(['queues', name]);
          expect(problem.message).toContain(`: expected ${problem.expected}, got: `);
          expect(problem).toHaveProperty('given');
        }
      }),
    );
  });

  it('never makes a queue that breaks a relation, whatever values the options have', () => {
    const duration = fc.constantFrom('1ms', '50ms', '1s', '2s', '1m', '', 5, null);
    const amount = fc.constantFrom(0, 1, 2, 10, 100, 70_000, 1.5, '3');
    const queue = { maxLatency: duration, serviceTime: duration, timeout: duration, serviceTimeCv: amount };
    const numbers = {
      workers: amount,
      concurrency: amount,
      prefetch: amount,
      window: amount,
      maxLength: amount,
    };
    fc.assert(
      fc.property(fc.record({ ...queue, ...numbers }, { requiredKeys: [] }), (input) => {
        const result = resolveQueueQos('jobs', input);
        if (!result.ok) return;
        expect(result.qos.maxLength).toBeGreaterThanOrEqual(1);
        expect(result.qos.window).toBeGreaterThanOrEqual(1);
        expect(result.qos.prefetch).toBeGreaterThanOrEqual(result.qos.concurrency);
        expect(result.qos.timeoutMs).toBeGreaterThanOrEqual(result.qos.serviceTimeMs ?? 0);
      }),
    );
  });
});

function resolved(input: unknown): QueueQos {
  const result = resolveQueueQos('jobs', input);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return result.qos;
}
