import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Ledger } from '../support/ledger.js';
import { readyMessages } from '../support/queue.js';
import { createVhost, type TestVhost } from '../support/vhost.js';
import { Worker } from '../support/worker.js';

const JOBS = 200;
const BREAK_AFTER = 10;
const CONCURRENCY = 5;
const DOWN_MS = 8_000;
/** The longest pause between two trials, the longest wait of a job that was put off, and the work itself. */
const RECOVERED_WITHIN_MS = 5_000 + 1_000 + 4_000;

describe('a downstream that is down for long', () => {
  let vhost: TestVhost;
  let worker: Worker;

  beforeEach(async () => {
    vhost = await createVhost();
  });

  afterEach(async () => {
    await worker.close();
    await vhost.delete();
  });

  it('costs a few jobs one attempt and no job its life, and the rest is done once it is back', async () => {
    const qos = {
      maxLength: 2 * JOBS,
      serviceTime: '5ms',
      window: 20,
      concurrency: CONCURRENCY,
      breakAfter: BREAK_AFTER,
      backoff: { initial: '100ms', max: '3s' },
    };
    let isDown = true;
    worker = await Worker.open(vhost, { queues: { orders: qos } }, async () => {
      await delay(5);
      if (isDown) throw new Error('the downstream is down');
    });
    const { runs } = worker;
    const breaker: string[] = [];
    worker.runtime.telemetry.on('breaker.opened', () => breaker.push('opened'));
    worker.runtime.telemetry.on('breaker.closed', () => breaker.push('closed'));
    const ledger = new Ledger(worker.runtime.queue('orders'));
    await ledger.publishMany(JOBS, 20);
    // Time is what this is about: nothing happens that could be waited for.
    await delay(DOWN_MS);
    expect(breaker).toEqual(['opened']);
    expect(worker.consumer.state.isThrottled).toBe(true);
    const startedWhileDown = runs.started.length;

    isDown = false;
    const backAt = performance.now();
    const ids = ledger.idsOf('accepted');
    expect(ids).toHaveLength(JOBS);
    await runs.untilSucceeded(JOBS, RECOVERED_WITHIN_MS);
    expect(performance.now() - backAt).toBeLessThan(RECOVERED_WITHIN_MS);
    expect(breaker).toEqual(['opened', 'closed']);
    expect(runs.notOnce(ids)).toEqual([]);
    expect(await readyMessages(vhost.url, 'orders.dead')).toBe(0);
    // What opened it, and what ran beside that; trials come after 200 ms, 400 ms and so on.
    const burnt = new Set(runs.started.filter(({ attempt }) => attempt > 1).map(({ id }) => id));
    expect(burnt.size).toBeLessThanOrEqual(BREAK_AFTER + CONCURRENCY);
    expect(Math.max(...runs.started.map(({ attempt }) => attempt))).toBeLessThanOrEqual(2);
    expect(startedWhileDown).toBeLessThanOrEqual(BREAK_AFTER + CONCURRENCY + 6);
    expect(worker.consumer.state.isThrottled).toBe(false);
  });
});
