import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { QueueQos } from '../schema/queue-qos.js';
import { resolveQueueQos } from '../schema/resolve-queue-qos.js';
import { consequencesOf } from './consequences.js';
import { differences } from './differences.js';

const sized = { maxLatency: '1s', serviceTime: '50ms', concurrency: 10 };

describe('differences', () => {
  it('names each option that differs as in the file, with what follows from it', () => {
    const { options } = differences(
      resolved(sized),
      resolved({ ...sized, concurrency: 20, maxLatency: '2s' }),
    );
    expect(options).toEqual([
      { name: 'maxLatency', before: '1s', after: '2s' },
      { name: 'concurrency', before: '10', after: '20' },
      { name: 'prefetch', before: '10', after: '20' },
      { name: 'maxLength', before: '116', after: '589' },
      { name: 'maxWaiting', before: '116', after: '589' },
      { name: 'window', before: '11', after: '58' },
    ]);
  });

  it('writes every kind of value with its unit, and none for one that is not given', () => {
    const after = { ...sized, rate: '30/m', paused: 'hold', fleetConcurrency: 8, backoff: { max: '1m' } };
    const { options } = differences(
      resolved({ ...sized, maxLength: 5 }),
      resolved({ ...after, maxLength: 5 }),
    );
    expect(options).toEqual([
      { name: 'fleetConcurrency', before: 'none', after: '8' },
      { name: 'rate', before: 'none', after: '30/m' },
      { name: 'window', before: '10', after: '8' },
      { name: 'paused', before: 'no', after: 'hold' },
      { name: 'backoff.max', before: '30s', after: '1m' },
    ]);
  });

  it('says what the options come to, before and after', () => {
    const after = { ...sized, workers: 2, fleetConcurrency: 15, maxLength: 500 };
    expect(differences(resolved(sized), resolved(after)).arithmetic).toEqual([
      {
        name: 'length',
        before:
          '116 = 127 (jobs that fit a p99 sojourn of 1000 ms) - 0 prefetched beyond the handlers ' +
          '- 11 unconfirmed (1 gateway x window 11)',
        after: '500 = set outright by maxLength',
      },
      { name: 'capacity', before: '200/s (10 handlers / 50 ms)', after: '300/s (15 handlers / 50 ms)' },
      { name: 'a full queue drains in', before: '580 ms', after: '1666.67 ms' },
      {
        name: 'accepted work at most',
        before:
          '137 = 116 ready + 10 in the workers (1 worker x prefetch 10) + 11 unconfirmed (1 gateway x window 11)',
        after:
          '570 = 500 ready + 20 in the workers (2 workers x prefetch 10) + 50 unconfirmed (1 gateway x window 50)',
      },
      {
        name: 'in-flight at most',
        before: '10 (1 worker x concurrency 10)',
        after: '15 (2 workers x concurrency 10, together at most fleetConcurrency 15)',
      },
      {
        name: 'p99 sojourn in a full queue',
        before: '996.32 ms, within maxLatency 1s',
        after: '2262.91 ms, longer than maxLatency 1s',
      },
    ]);
  });

  it('says that a rate below the handlers is what limits the queue', () => {
    const after = resolved({ ...sized, type: 'classic', rate: '600/m', workers: 2, concurrency: 5 });
    const [, capacity, drain, , , sojourn] = differences(after, after).arithmetic.map((line) => line.after);
    expect(capacity).toBe('20/s (2 workers x rate 10/s; 10 handlers / 50 ms could do 200/s)');
    expect(drain).toBe('6350 ms');
    expect(sojourn).toBe('7080.26 ms, longer than maxLatency 1s');
  });

  it('knows neither speed nor sojourn without a service time', () => {
    const [, ...lines] = differences(
      resolved({ maxLength: 5 }),
      resolved({ maxLength: 5, rate: '1/s' }),
    ).arithmetic;
    expect(lines.map((line) => line.after)).toEqual([
      'unknown without serviceTime',
      'unknown without serviceTime',
      '25 = 5 ready + 10 in the workers (1 worker x prefetch 10) + 10 unconfirmed (1 gateway x window 10)',
      '10 (1 worker x concurrency 10)',
      'unknown without serviceTime',
    ]);
  });

  it('finds none between a queue and itself', () => {
    expect(differences(resolved(sized), resolved({ ...sized })).options).toEqual([]);
  });
});

describe('consequencesOf', () => {
  it('finds the promise kept by every queue that was sized for it, and broken by two jobs more', () => {
    const queues = fc.record({
      maxLatencyMs: fc.integer({ min: 100, max: 600_000 }),
      serviceTimeMs: fc.integer({ min: 1, max: 1_000 }),
      serviceTimeCv: fc.constantFrom(0, 0.5, 1, 2),
      workers: fc.integer({ min: 1, max: 20 }),
      concurrency: fc.integer({ min: 1, max: 50 }),
      prefetch: fc.integer({ min: 50, max: 100 }),
      fleetConcurrency: fc.integer({ min: 1, max: 1_000 }),
      gateways: fc.integer({ min: 1, max: 20 }),
      window: fc.integer({ min: 1, max: 10 }),
      type: fc.constantFrom('quorum', 'classic'),
    });
    fc.assert(
      fc.property(queues, ({ maxLatencyMs, serviceTimeMs, ...rest }) => {
        const options = {
          ...rest,
          maxLatency: `${maxLatencyMs}ms`,
          serviceTime: `${serviceTimeMs}ms`,
          timeout: '1h',
        };
        const result = resolveQueueQos('jobs', options);
        fc.pre(result.ok);
        expect(consequencesOf(result.qos).isPromiseKept).toBe(true);
        const longer = resolved({ ...options, maxLength: result.qos.maxLength + 2 });
        expect(consequencesOf(longer).isPromiseKept).toBe(false);
      }),
    );
  });

  it('is exact when nothing varies', () => {
    const tenths = fc.integer({ min: 1, max: 10_000 });
    fc.assert(
      fc.property(tenths, fc.integer({ min: 10, max: 1_000 }), tenths, (service, others, concurrency) => {
        const times = { serviceTime: `${service / 10}ms`, maxLatency: `${(service * (1 + others)) / 10}ms` };
        const exact = {
          ...times,
          serviceTimeCv: 0,
          concurrency,
          type: 'classic',
          maxLength: others * concurrency,
        };
        expect(consequencesOf(resolved(exact)).isPromiseKept).toBe(true);
        const longer = { ...exact, maxLength: exact.maxLength + 1 };
        expect(consequencesOf(resolved(longer)).isPromiseKept).toBe(false);
      }),
    );
  });
});

function resolved(input: unknown): QueueQos {
  const result = resolveQueueQos('jobs', input);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return result.qos;
}
