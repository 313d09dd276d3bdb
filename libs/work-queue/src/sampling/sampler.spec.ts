import { describe, expect, it } from '@jest/globals';
import { type JobSettled, Telemetry } from '../telemetry/telemetry.js';
import { offeredIn, type QueueSample, shedIn } from './queue-sample.js';
import { Sampler } from './sampler.js';
import { summarizeTimes } from './summarize-times.js';

const JOB: JobSettled = {
  queue: 'orders',
  messageId: 'id-1',
  end: 'succeeded',
  attempt: 1,
  serviceTimeMs: 50,
  retryInMs: undefined,
  waitTimeMs: 8,
};

function setUp(maxQueues?: number) {
  const telemetry = new Telemetry();
  const sampler = new Sampler(telemetry, { startMs: 1_000, maxQueues });
  const settle = (job: Partial<JobSettled>): void => telemetry.emit('job.settled', { ...JOB, ...job });
  const refuse = (reason: string, queue = 'orders'): void =>
    telemetry.emit('publish.refused', { queue, messageId: 'id-1', reason, detail: '' });
  const accept = (queue = 'orders'): void =>
    telemetry.emit('publish.accepted', { queue, messageId: 'id-1', confirmMs: 1 });
  const take = (nowMs = 2_000): QueueSample => {
    const [sample] = sampler.take(nowMs);
    if (!sample) throw new Error('no queue was sampled');
    return sample;
  };
  return { sampler, settle, refuse, accept, take };
}

describe('a sampler', () => {
  it('counts what is offered, accepted, refused by reason, and what nobody knows', () => {
    const { accept, refuse, take } = setUp();
    for (let count = 0; count < 3; count++) accept();
    for (const reason of ['queue-full', 'queue-full', 'gateway-busy', 'unknown', 'conflict']) refuse(reason);
    const sample = take();
    expect(sample).toMatchObject({
      queue: 'orders',
      fromMs: 1_000,
      toMs: 2_000,
      accepted: 3,
      unknown: 1,
      refused: { 'queue-full': 2, 'gateway-busy': 1, conflict: 1 },
    });
    expect(offeredIn(sample)).toBe(8);
  });

  it('tells work that was shed from messages that were wrong', () => {
    const { refuse, take } = setUp();
    for (const reason of ['queue-full', 'no-workers', 'too-large', 'unroutable', 'unknown']) refuse(reason);
    expect(shedIn(take())).toEqual({ 'queue-full': 1, 'no-workers': 1 });
  });

  it('counts reasons it does not know as one, however many there are', () => {
    const { refuse, take } = setUp();
    for (let count = 0; count < 50; count++) refuse(`reason-${count}`);
    refuse('__proto__');
    expect(take().refused).toEqual({ other: 51 });
  });

  it('counts settled deliveries by how they ended', () => {
    const { settle, take } = setUp();
    for (const end of ['succeeded', 'succeeded', 'retried', 'dead-lettered', 'lost'] as const)
      settle({ end });
    expect(take().ends).toEqual({ succeeded: 2, retried: 1, 'dead-lettered': 1, lost: 1 });
  });

  it('keeps the service time of failures apart, so that fast ones make no job look shorter', () => {
    const { settle, take } = setUp();
    settle({ serviceTimeMs: 80 });
    for (const end of ['retried', 'dead-lettered', 'deferred', 'dropped', 'returned', 'lost'] as const) {
      settle({ end, serviceTimeMs: 1 });
    }
    const { service, failedService } = take();
    expect(summarizeTimes(service)?.meanMs).toBeCloseTo(80, 0);
    expect(failedService.total).toBe(6);
  });

  it('has no service time of what no handler was called for', () => {
    const { settle, take } = setUp();
    settle({ end: 'returned', serviceTimeMs: undefined });
    const { service, failedService, wait } = take();
    expect([service.total, failedService.total, wait.total]).toEqual([0, 0, 0]);
  });

  it.each<[string, Partial<JobSettled>, number]>([
    ['a first attempt', {}, 1],
    ['a first attempt that failed', { end: 'retried' }, 1],
    ['a first attempt that counts for none', { end: 'deferred', attempt: 0 }, 1],
    ['work that expired before any attempt', { end: 'expired', attempt: 0, serviceTimeMs: undefined }, 1],
    ['a later attempt, which waited for its backoff as well', { attempt: 2 }, 0],
    ['what was given back unstarted', { end: 'returned', attempt: 0, serviceTimeMs: undefined }, 0],
    ['what was set aside', { end: 'set-aside', attempt: 0, serviceTimeMs: undefined }, 0],
    ['work whose publish time is not known', { waitTimeMs: undefined }, 0],
  ])('of the wait times takes, for %s, as many as the promise is about', (_, job, total) => {
    const { settle, take } = setUp();
    settle(job);
    expect(take().wait.total).toBe(total);
  });

  it('gives only what is new since the last time, and of a quiet queue that nothing was', () => {
    const { settle, accept, refuse, take } = setUp();
    const everything = (): void => {
      accept();
      refuse('queue-full');
      refuse('unknown');
      settle({});
      settle({ end: 'retried' });
    };
    const seen = {
      accepted: 1,
      unknown: 1,
      refused: { 'queue-full': 1 },
      ends: { succeeded: 1, retried: 1 },
      service: { total: 1 },
      failedService: { total: 1 },
      wait: { total: 2 },
    };
    everything();
    const first = take(2_000);
    const second = take(3_100);
    expect(second).toMatchObject({ fromMs: 2_000, toMs: 3_100, accepted: 0, unknown: 0 });
    expect([second.refused, second.ends]).toEqual([{}, {}]);
    expect([second.service.total, second.failedService.total, second.wait.total]).toEqual([0, 0, 0]);
    everything();
    expect(take(4_000)).toMatchObject(seen);
    expect(first).toMatchObject(seen);
  });

  it('keeps queues apart', () => {
    const { sampler, accept, settle } = setUp();
    accept('orders');
    settle({ queue: 'mails' });
    expect(sampler.take(2_000).map(({ queue, accepted, ends }) => ({ queue, accepted, ends }))).toEqual([
      { queue: 'orders', accepted: 1, ends: {} },
      { queue: 'mails', accepted: 0, ends: { succeeded: 1 } },
    ]);
  });

  it('samples no more queues than it may, and counts what it left out', () => {
    const { sampler, accept } = setUp(2);
    for (const queue of ['a', 'b', 'c', 'a', 'd']) accept(queue);
    expect(sampler.take(2_000).map(({ queue, accepted }) => [queue, accepted])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    expect(sampler.unsampledEvents).toBe(2);
  });

  it('hears nothing any more once it is stopped', () => {
    const { sampler, accept } = setUp();
    sampler.stop();
    accept();
    expect(sampler.take(2_000)).toEqual([]);
  });
});
