import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PermanentFailure } from '@spillway/work-queue';
import { Ledger } from '../support/ledger.js';
import { readyMessages } from '../support/queue.js';
import { until } from '../support/until.js';
import { createVhost, manage, type TestVhost } from '../support/vhost.js';
import { takeDeadLetters } from '../support/worker-broker.js';
import { type Work, Worker } from '../support/worker.js';

const JOBS = 30;

describe.each(['classic', 'quorum'] as const)('while handlers of a %s queue fail', (type) => {
  const options = {
    queues: {
      orders: {
        type,
        maxLength: 1_000,
        serviceTime: '5ms',
        window: 20,
        concurrency: 5,
        breakAfter: 0,
        maxAttempts: 2,
        backoff: { initial: '1s', max: '1s', multiplier: 1 },
      },
    },
  };
  let vhost: TestVhost;
  let worker: Worker;
  let ledger: Ledger;
  let failures: string[];

  beforeEach(async () => {
    vhost = await createVhost();
    failures = [];
  });

  afterEach(async () => {
    await worker.close();
    await vhost.delete();
  });

  const open = async (work: Work): Promise<void> => {
    worker = await Worker.connect(vhost, options);
    worker.runtime.telemetry.on('settle.failed', ({ reason }) => failures.push(reason));
    ledger = new Ledger(worker.runtime.queue('orders'));
    await worker.consume({}, work);
  };

  const remove = (queue: string): Promise<unknown> => manage('DELETE', `queues/${vhost.name}/${queue}`);

  it('and a wait queue is deleted, it is made again and every job gets its next attempt', async () => {
    await open(async (_job, { attempt }) => {
      if (attempt === 1) throw new Error('once');
    });
    await remove('orders.wait.1s');
    await ledger.publishMany(JOBS, 10);
    const ids = ledger.idsOf('accepted');
    await worker.runs.untilSucceeded(JOBS, 20_000);
    expect(ids).toHaveLength(JOBS);
    expect(worker.runs.notOnce(ids)).toEqual([]);
    expect(failures.length).toBeGreaterThan(0);
    expect(await readyMessages(vhost.url, 'orders.dead')).toBe(0);
    await until(async () => (await worker.runtime.health()).problems[0]);
  });

  it('and the due queue is deleted, it is made again and what waits arrives there', async () => {
    await open(async (_job, { attempt }) => {
      if (attempt === 1) throw new Error('once');
    });
    await ledger.publishMany(JOBS, 10);
    const ids = ledger.idsOf('accepted');
    await until(async () => {
      const count = worker.idsOf('retried').length;
      return count > 0 ? undefined : 'nothing waits';
    });
    await remove('orders.due');
    await until(async () => {
      const done = new Set(worker.runs.succeeded);
      const missing = ids.filter((id) => !done.has(id));
      return missing.length === 0 ? undefined : `${missing.length} of ${ids.length} never came again`;
    }, 20_000);
    expect(worker.runs.notOnce(ids)).toEqual([]);
    expect(await readyMessages(vhost.url, 'orders.dead')).toBe(0);
    await until(async () => (await worker.runtime.health()).problems[0]);
  });

  it('and the dead-letter queue is deleted, the originals stay until it is there again', async () => {
    await open(() => Promise.reject(new PermanentFailure('no good', { queue: 'orders' })));
    await remove('orders.dead');
    await ledger.publishMany(JOBS, 10);
    const ids = ledger.idsOf('accepted');
    await until(async () => {
      const dead = await readyMessages(vhost.url, 'orders.dead');
      return dead === JOBS ? undefined : `${dead} dead letters`;
    }, 20_000);
    expect((await takeDeadLetters(vhost.url, 'orders')).map(({ id }) => id).toSorted()).toEqual(
      ids.toSorted(),
    );
    expect(failures.length).toBeGreaterThan(0);
    await until(async () => {
      const ready = await readyMessages(vhost.url, 'orders');
      return ready === 0 ? undefined : `${ready} ready`;
    });
    expect(worker.idsOf('set-aside')).toEqual([]);
  });

  it('and the work that succeeds beside them is done as soon as copies can be stored again', async () => {
    await open(async ({ id }, { attempt }) => {
      await delay(2);
      if (id.startsWith('fails') && attempt === 1) throw new Error('once');
    });
    await Promise.all([remove('orders.wait.1s'), remove('orders.dead')]);
    for (let index = 0; index < JOBS; index++)
      await ledger.publish(`${index % 2 ? 'fails' : 'works'}-${index}`);
    await worker.runs.untilSucceeded(JOBS, 20_000);
    expect(worker.runs.notOnce(ledger.idsOf('accepted'))).toEqual([]);
    expect(worker.idsOf('set-aside')).toEqual([]);
  });
});
