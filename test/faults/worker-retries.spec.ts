import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Ledger, outcomesOf } from '../support/ledger.js';
import { readyMessages } from '../support/queue.js';
import { until } from '../support/until.js';
import { createVhost, type TestVhost } from '../support/vhost.js';
import { QueueDepths } from '../support/worker-broker.js';
import { Worker } from '../support/worker.js';

const RETRIES = 200;
const CONCURRENCY = 5;

let vhost: TestVhost;
let workers: Worker[];

beforeEach(async () => {
  vhost = await createVhost();
  workers = [];
});

afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.close()));
  await vhost.delete();
});

const queueOf = (qos: object): { queues: { orders: object } } => ({
  queues: { orders: { serviceTime: '5ms', window: 20, breakAfter: 0, concurrency: CONCURRENCY, ...qos } },
});

describe.each(['classic', 'quorum'] as const)('retries of a full %s queue', (type) => {
  it('all come again, once each and within the bound, as soon as there is capacity', async () => {
    const options = queueOf({
      type,
      maxLength: RETRIES,
      maxWaiting: 2 * RETRIES,
      maxAttempts: 2,
      backoff: { initial: '1s', max: '1s' },
    });
    const failing = await Worker.open(vhost, options, () => Promise.reject(new Error('not yet')));
    workers.push(failing);
    const retried = new Ledger(failing.runtime.queue('orders'));
    await retried.publishMany(RETRIES, 10);
    await until(async () => {
      const count = failing.idsOf('retried').length;
      return count === RETRIES ? undefined : `${count} retried`;
    });
    await failing.close();

    const publisher = await Worker.connect(vhost, options);
    workers.push(publisher);
    const fresh = new Ledger(publisher.runtime.queue('orders'));
    while ((await fresh.publish()).outcome === 'accepted');
    await until(async () => {
      const due = await readyMessages(vhost.url, 'orders.due');
      return due === RETRIES ? undefined : `${due} due`;
    });

    const worker = await Worker.open(vhost, options, () => delay(5));
    workers.push(worker);
    const ids = retried.idsOf('accepted');
    expect(ids).toHaveLength(RETRIES);
    const all = [...ids, ...fresh.idsOf('accepted')];
    await worker.runs.untilSucceeded(all.length, 10_000);
    expect(worker.runs.notOnce(all)).toEqual([]);
    expect(ids.filter((id) => worker.runs.startsOf(id)[0]?.attempt !== 2)).toEqual([]);
    expect(worker.runs.mostRunning).toBeLessThanOrEqual(CONCURRENCY);
    expect(await readyMessages(vhost.url, 'orders.dead')).toBe(0);
  });
});

describe('a downstream that fails while requests come in', () => {
  const MAX_WAITING = 60;
  const MAX_LENGTH = 60;
  const WAITING = ['orders.due', 'orders.wait.200ms'];
  /** A reading of the queues takes a moment, in which what runs goes on failing; and a sum of two queues counts twice what moves. */
  const BEYOND = MAX_WAITING / 2;

  it('has work wait up to its bound, then the queue fill and publishers refused, and loses nothing of it', async () => {
    const options = queueOf({
      type: 'quorum',
      maxLength: MAX_LENGTH,
      maxWaiting: MAX_WAITING,
      maxAttempts: 1_000,
      backoff: { initial: '200ms', max: '200ms' },
    });
    let isDown = true;
    const worker = await Worker.open(vhost, options, async () => {
      await delay(5);
      if (isDown) throw new Error('the downstream is down');
    });
    workers.push(worker);
    const full: number[] = [];
    worker.runtime.telemetry.on('waiting.full', ({ waiting }) => full.push(waiting));
    const ledger = new Ledger(worker.runtime.queue('orders'));
    const depths = await QueueDepths.open(vhost.url);
    const waiting: number[] = [];
    const endAt = performance.now() + 6_000;
    while (performance.now() < endAt) {
      await ledger.publishMany(5);
      await ledger.keepTrying(1);
      waiting.push(await depths.sumOf(WAITING));
    }
    expect(outcomesOf(ledger.attempts.slice(-10))).toEqual({ 'queue-full': 10 });
    expect(full.length).toBeGreaterThan(0);
    expect(Math.max(...waiting)).toBeGreaterThanOrEqual(MAX_WAITING / 2);
    expect(Math.max(...waiting)).toBeLessThanOrEqual(MAX_WAITING + BEYOND);
    await depths.close();

    isDown = false;
    const ids = ledger.idsOf('accepted');
    await worker.runs.untilSucceeded(ids.length, 15_000);
    expect(worker.runs.notOnce(ids)).toEqual([]);
    expect(worker.runs.mostRunning).toBeLessThanOrEqual(CONCURRENCY);
    expect(await readyMessages(vhost.url, 'orders.dead')).toBe(0);
    expect(worker.idsOf('lost')).toEqual([]);
    await expect(ledger.publish()).resolves.toMatchObject({ outcome: 'accepted' });
  });
});
