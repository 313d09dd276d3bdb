import { describe, expect, it } from '@jest/globals';
import { resolveQueueQos } from './resolve-queue-qos.js';

const sized = { maxLatency: '1s', serviceTime: '50ms' };

describe('a single option that is refused', () => {
  it.each([
    [{ prefetch: 0 }, 'prefetch: expected an integer from 1 to 65535, got: 0'],
    [{ prefetch: 65_536 }, 'prefetch: expected an integer from 1 to 65535, got: 65536'],
    [{ concurrency: 2.5 }, 'concurrency: expected an integer from 1 to 65535, got: 2.5'],
    [{ workers: '3' }, 'workers: expected an integer from 1 to 10000, got: "3"'],
    [{ workers: null }, 'workers: expected an integer from 1 to 10000, got: null'],
    [{ workers: Number.NaN }, 'workers: expected an integer from 1 to 10000, got: NaN'],
    [{ serviceTimeCv: -1 }, 'serviceTimeCv: expected a number from 0 to 5, got: -1'],
    [{ alertAt: 70 }, 'alertAt: expected a number from 0.01 to 1, got: 70'],
    [{ shedLowAt: 0 }, 'shedLowAt: expected a number from 0.01 to 1, got: 0'],
    [{ windowBytes: 8 }, 'windowBytes: expected an integer from 1024 to 1073741824, got: 8'],
    [{ maxLatency: 20 }, 'maxLatency: expected a duration with a unit such as 250ms or 2s, got: 20'],
    [
      { maxLatency: '2 days' },
      'maxLatency: expected a duration with a unit such as 250ms or 2s, got: "2 days"',
    ],
    [{ maxLatency: '25h' }, 'maxLatency: expected a duration from 1ms to 24h, got: "25h"'],
    [{ maxWaiting: 0 }, 'maxWaiting: expected an integer from 1 to 1000000000, got: 0'],
    [{ breakAfter: -1 }, 'breakAfter: expected an integer from 0 to 10000, got: -1'],
    [{ fleetConcurrency: 0 }, 'fleetConcurrency: expected an integer from 1 to 655350000, got: 0'],
    [{ paused: false }, 'paused: expected no or hold or refuse, got: false'],
    [{ timeoutGrace: '0s' }, 'timeoutGrace: expected a duration from 1ms to 24h, got: "0s"'],
    [
      { rate: 200 },
      'rate: expected a rate such as 200/s, 30/m or 1000/h (more than 0/s, at most 1000000/s), got: 200',
    ],
    [
      { rate: '2000000/s' },
      'rate: expected a rate such as 200/s, 30/m or 1000/h (more than 0/s, at most 1000000/s), got: "2000000/s"',
    ],
    [{ type: 'stream' }, 'type: expected quorum or classic, got: "stream"'],
    [{ backoff: null }, 'backoff: expected a mapping of options, got: null'],
    [
      { backoff: { max: [] } },
      'backoff.max: expected a duration with a unit such as 250ms or 2s, got: a list',
    ],
    [{ prefech: 3 }, 'prefech: expected a known option (did you mean prefetch?), got: "prefech"'],
    [
      { backoff: { jitter: 1 } },
      'backoff.jitter: expected a known option (one of initial, max, multiplier), got: "jitter"',
    ],
    [
      { overflow: 'reject-publish-dlx' },
      'overflow: expected reject-publish or drop-head (reject-publish-dlx is refused: on a quorum queue it acts as ' +
        'drop-head and drops confirmed messages silently), got: "reject-publish-dlx"',
    ],
  ])('%j', (options, message) => {
    expect(messages({ ...sized, ...options })).toEqual([`queues.jobs.${message}`]);
  });

  it('is told apart from one that is missing', () => {
    expect(messages({})).toEqual([
      'queues.jobs.maxLatency: expected a duration from 1ms to 24h (required unless maxLength is set), got: nothing',
      'queues.jobs.serviceTime: expected a duration from 0.1ms to 1h (required unless maxLength is set), got: nothing',
    ]);
  });

  it('does not hide the others', () => {
    const wrong = { maxLatency: 1, serviceTime: '50ms', prefetch: 2, concurrency: 3, workers: 0, what: 1 };
    const refused = messages(wrong).map((message) => message.split(':')[0]);
    expect(refused).toEqual(
      ['what', 'maxLatency', 'workers', 'prefetch'].map((name) => `queues.jobs.${name}`),
    );
  });
});

describe('options that do not go together', () => {
  it.each([
    [{ prefetch: 5, concurrency: 10 }, 'prefetch: expected at least the concurrency of 10, got: 5'],
    [{ timeout: '20ms' }, 'timeout: expected at least the serviceTime of 50ms, got: "20ms"'],
    [{ backoff: { initial: '1m' } }, 'backoff.max: expected at least the initial wait of 1m, got: "30s"'],
    [
      { maxLatency: '200ms' },
      'maxLatency: expected longer than 230.26ms, what 99 of 100 jobs need for themselves (serviceTime 50ms, ' +
        'serviceTimeCv 1), got: "200ms"',
    ],
    [
      { maxLatency: '50ms', serviceTimeCv: 0 },
      'maxLatency: expected longer than 50ms, what 99 of 100 jobs need for themselves (serviceTime 50ms, ' +
        'serviceTimeCv 0), got: "50ms"',
    ],
    [
      { maxLatency: '240ms' },
      'maxLatency: expected a latency that leaves room in the queue, not -10 = 0 (jobs that fit a p99 sojourn of ' +
        '240 ms) - 0 prefetched beyond the handlers - 10 unconfirmed (1 gateway x window 10): raise maxLatency or ' +
        'concurrency, or lower serviceTime, prefetch, gateways or window, got: "240ms"',
    ],
    [
      { window: 127 },
      'window: expected at most 126, as the queue would hold 0 = 127 (jobs that fit a p99 sojourn of 1000 ms) - 0 ' +
        'prefetched beyond the handlers - 127 unconfirmed (1 gateway x window 127), got: 127',
    ],
  ])('%j', (options, message) => {
    expect(messages({ ...sized, ...options })).toEqual([`queues.jobs.${message}`]);
  });

  it('may overshoot as far as they like on a classic queue, whose limit is exact', () => {
    expect(messages({ ...sized, type: 'classic', window: 5_000 })).toEqual([]);
  });
});

describe('a queue name', () => {
  it.each(['jobs', 'github-events', 'a.b.c', 'dead'])('%s is fine', (name) => {
    expect(resolveQueueQos(name, sized).ok).toBe(true);
  });

  it.each([
    ['', 'queues[""]: expected a queue name of 1 to 200 bytes, got: ""'],
    ['a\nb', 'queues["a\\nb"]: expected a queue name without control characters, got: "a\\nb"'],
    [
      'amq.jobs',
      'queues["amq.jobs"]: expected a queue name that does not start with amq. (reserved by RabbitMQ), got: "amq.jobs"',
    ],
    [
      'jobs.dead',
      'queues["jobs.dead"]: expected a queue name that does not end in .dead (the dead-letter queue of another ' +
        'queue), got: "jobs.dead"',
    ],
  ])('%j is refused', (name, message) => {
    expect(messages(sized, name)).toEqual([message]);
  });

  it('is measured in bytes, and a long one is shortened in the message', () => {
    expect(messages(sized, 'é'.repeat(100))).toEqual([]);
    expect(messages(sized, 'é'.repeat(101))[0]).toMatch(/of 1 to 200 bytes, got: "é{79}\.\.\.$/);
  });
});

function messages(input: unknown, name = 'jobs'): string[] {
  const result = resolveQueueQos(name, input);
  return result.ok ? [] : result.problems.map(({ message }) => message);
}
