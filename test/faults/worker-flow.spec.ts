import { setInterval, setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BatchFailure, PermanentFailure } from '@spillway/work-queue';
import { Gate } from '../support/journal.js';
import { Ledger } from '../support/ledger.js';
import { readyMessages } from '../support/queue.js';
import { until } from '../support/until.js';
import { createVhost, type TestVhost } from '../support/vhost.js';
import { takeDeadLetters } from '../support/worker-broker.js';
import { Worker } from '../support/worker.js';

const MAX_WAIT_MS = 100;
/** Of a busy machine: a timer's lateness, a publish, a delivery. */
const SLACK_MS = 100;

let vhost: TestVhost;
let worker: Worker;

beforeEach(async () => {
  vhost = await createVhost();
});

afterEach(async () => {
  await worker.close();
  await vhost.delete();
});

const queues = (qos: object): { queues: { orders: object } } => ({
  queues: { orders: { type: 'quorum', maxLength: 2_000, window: 50, serviceTime: '5ms', ...qos } },
});

describe('a batch handler', () => {
  const BATCH = { size: 50, maxWaitMs: MAX_WAIT_MS };
  const options = queues({ prefetch: 100, concurrency: 2, backoff: { initial: '100ms', max: '100ms' } });

  it('has a trickle wait no longer than it may, counted from the first of each batch', async () => {
    worker = await Worker.connect(vhost, options);
    const batches: number[] = [];
    await worker.consumeBatches({}, BATCH, async (jobs) => void batches.push(jobs.length));
    const ledger = new Ledger(worker.runtime.queue('orders'));
    for await (const _ of setInterval(30)) {
      await ledger.publish();
      if (ledger.attempts.length === 40) break;
    }
    await worker.runs.untilSucceeded(40);
    const waits = worker.settled.map(({ waitTimeMs = Number.NaN }) => waitTimeMs);
    expect(Math.max(...waits)).toBeLessThanOrEqual(MAX_WAIT_MS + SLACK_MS);
    expect(worker.runs.notOnce(ledger.idsOf('accepted'))).toEqual([]);
    // About three or four come within the wait of the first.
    expect(batches.length).toBeGreaterThanOrEqual(6);
    expect(batches.length).toBeLessThan(30);
  });

  it('gets full batches at once while there is work', async () => {
    worker = await Worker.connect(vhost, options);
    const ledger = new Ledger(worker.runtime.queue('orders'));
    await ledger.publishMany(500, 50);
    const batches: number[] = [];
    await worker.consumeBatches({}, BATCH, async (jobs) => {
      batches.push(jobs.length);
      await delay(20);
    });
    await worker.runs.untilSucceeded(500);
    expect(Math.max(...batches)).toBe(BATCH.size);
    expect(batches.length).toBeLessThanOrEqual(14);
    expect(worker.runs.notOnce(ledger.idsOf('accepted'))).toEqual([]);
  });

  it('has only those items tried again or dead-lettered that it names', async () => {
    worker = await Worker.connect(vhost, options);
    const ledger = new Ledger(worker.runtime.queue('orders'));
    const seen = new Map<string, number>();
    const ids = [...Array.from({ length: 30 }, (_, index) => `job-${index}`), 'fails-once', 'is-no-good'];
    for (const id of ids) await ledger.publish(id);
    await worker.consumeBatches({}, BATCH, async (jobs) => {
      for (const { id } of jobs) seen.set(id, (seen.get(id) ?? 0) + 1);
      const failures = new Map<number, unknown>();
      for (const [index, { id }] of jobs.entries()) {
        if (id === 'fails-once' && seen.get(id) === 1) failures.set(index, new Error('once'));
        if (id === 'is-no-good') failures.set(index, new PermanentFailure('no good', { queue: 'orders' }));
      }
      if (failures.size > 0) throw new BatchFailure(failures);
    });
    await until(async () => {
      const count = worker.idsOf('succeeded').length;
      return count === 31 ? undefined : `${count} succeeded`;
    }, 10_000);
    expect(worker.idsOf('retried')).toEqual(['fails-once']);
    expect(worker.idsOf('dead-lettered')).toEqual(['is-no-good']);
    expect([...seen].filter(([, times]) => times !== 1)).toEqual([['fails-once', 2]]);
    expect(await takeDeadLetters(vhost.url, 'orders')).toMatchObject([
      { id: 'is-no-good', headers: { 'x-dead-reason': 'permanent' } },
    ]);
  });
});

describe('a rate', () => {
  const startsWithin = (fromMs: number, toMs: number): number =>
    worker.runs.started.filter(({ startedAt }) => startedAt >= fromMs && startedAt < toMs).length;

  it('is what the worker starts, and the new one is as soon as it is changed', async () => {
    worker = await Worker.connect(vhost, queues({ prefetch: 100, concurrency: 20, rate: '50/s' }));
    const ledger = new Ledger(worker.runtime.queue('orders'));
    await ledger.publishMany(900, 50);
    await worker.consume({}, async () => undefined);
    await worker.runs.untilStarted(1);
    const startedAt = performance.now();
    await delay(2_000);
    const slow = startsWithin(startedAt, startedAt + 2_000);
    const changedAt = performance.now();
    await worker.consumer.resize({ rate: '200/s' });
    await delay(2_000);
    const fast = startsWithin(changedAt, changedAt + 2_000);
    // A tenth of a second's worth may come at once.
    expect(slow).toBeGreaterThanOrEqual(85);
    expect(slow).toBeLessThanOrEqual(105);
    expect(fast).toBeGreaterThanOrEqual(340);
    expect(fast).toBeLessThanOrEqual(420);
    await worker.consumer.resize({ rate: 'none' });
    await worker.runs.untilSucceeded(900, 5_000);
    expect(worker.runs.notOnce(ledger.idsOf('accepted'))).toEqual([]);
  });
});

describe.each(['classic', 'quorum'] as const)('a paused consumer of a %s queue', (type) => {
  it('gives back all it has not started, starts nothing, and goes on where it was', async () => {
    const gate = new Gate();
    const options = queues({ type, prefetch: 20, concurrency: 4 });
    worker = await Worker.open(vhost, options, () => gate.opened);
    const ledger = new Ledger(worker.runtime.queue('orders'));
    await ledger.publishMany(50);
    await worker.runs.untilRunning(4);
    await worker.consumer.pause();
    await until(async () => {
      const ready = await readyMessages(vhost.url, 'orders');
      return ready === 46 ? undefined : `${ready} ready`;
    }, 5_000);
    expect(worker.consumer.state).toMatchObject({ isPaused: true, running: 4, waiting: 0, isWell: true });
    gate.open();
    await worker.runs.untilSucceeded(4);
    await ledger.publish();
    expect(await readyMessages(vhost.url, 'orders')).toBe(47);
    expect(worker.runs.started).toHaveLength(4);
    expect((await worker.runtime.health()).problems).toEqual([]);

    await worker.consumer.resume();
    await worker.runs.untilSucceeded(51);
    expect(worker.runs.notOnce(ledger.idsOf('accepted'))).toEqual([]);
    expect(worker.runs.started).toHaveLength(51);
    // Given back without blame: nothing of it was taken for work that kills.
    expect(worker.idsOf('set-aside')).toEqual([]);
    expect(worker.runs.mostRunning).toBe(4);
  });
});
