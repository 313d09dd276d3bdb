import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Gate } from '../support/journal.js';
import { Ledger } from '../support/ledger.js';
import { until } from '../support/until.js';
import { createVhost, type TestVhost } from '../support/vhost.js';
import { closeConnections, consumersAre, QueueDepths } from '../support/worker-broker.js';
import { Worker } from '../support/worker.js';

const JOBS = 2_000;
const RESIZES = 50;
const IN_PARALLEL = 50;
const SEED = 20_240_229;

const bounds = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }))
  .map(([one, other]) => ({ prefetch: Math.max(one, other), concurrency: Math.min(one, other) }));

describe.each(['classic', 'quorum'] as const)('resizing the consumer of a %s queue', (type) => {
  let vhost: TestVhost;
  let worker: Worker;

  beforeEach(async () => {
    vhost = await createVhost();
  });

  afterEach(async () => {
    await worker.close();
    await vhost.delete();
  });

  const open = (work: () => Promise<unknown>): Promise<Worker> =>
    Worker.open(
      vhost,
      {
        queues: {
          orders: { type, maxLength: 2 * JOBS, serviceTime: '6ms', window: IN_PARALLEL, prefetch: 20 },
        },
      },
      work,
    );

  /** The bound is written down first: whatever starts from then on is measured against it. */
  const resize = async (to: { prefetch: number; concurrency: number }): Promise<void> => {
    worker.runs.bound = to.concurrency;
    await worker.consumer.resize(to);
  };

  it('never lets more run than the new bound, beside what ran already, and loses and repeats nothing', async () => {
    worker = await open(() => delay(randomInt(2, 11)));
    const { runs } = worker;
    const ledger = new Ledger(worker.runtime.queue('orders'));
    const publishing = ledger.publishMany(JOBS, IN_PARALLEL);
    for (const [index, to] of fc.sample(bounds, { numRuns: RESIZES, seed: SEED }).entries()) {
      await resize(to);
      await runs.untilSucceeded(Math.min(JOBS, (index + 1) * 30));
    }
    await publishing;
    await resize({ prefetch: 20, concurrency: 20 });
    await runs.untilSucceeded(JOBS);
    const ids = ledger.idsOf('accepted');
    expect(ids).toHaveLength(JOBS);
    expect(runs.notOnce(ids)).toEqual([]);
    expect(runs.started).toHaveLength(JOBS);
    expect(runs.excesses).toEqual([]);
    expect(worker.idsOf('succeeded')).toHaveLength(JOBS);
  });

  it('leaves the broker with consumers of the last size, each once', async () => {
    worker = await open(async () => undefined);
    for (const to of fc.sample(bounds, { numRuns: RESIZES, seed: SEED })) void worker.consumer.resize(to);
    await worker.consumer.resize({ prefetch: 7, concurrency: 5 });
    expect(worker.consumer.state).toMatchObject({ prefetch: 7, concurrency: 5, isWell: true });
    await consumersAre(vhost.name, { orders: 7, 'orders.due': 2, 'orders.alone': 1 });
  });

  it('holds after the connection was lost', async () => {
    const gate = new Gate();
    worker = await open(() => gate.opened);
    const { runs } = worker;
    await resize({ prefetch: 7, concurrency: 5 });
    const lost = new Promise((resolve) => worker.runtime.telemetry.on('consumer.lost', resolve));
    await closeConnections(vhost.name, ['spillway publish', 'spillway consume']);
    await lost;
    await until(async () => (await worker.runtime.health()).problems[0]);
    expect(worker.consumer.state).toMatchObject({ prefetch: 7, concurrency: 5, isWell: true });
    await consumersAre(vhost.name, { orders: 7, 'orders.due': 2, 'orders.alone': 1 });

    const ledger = new Ledger(worker.runtime.queue('orders'));
    await ledger.publishMany(20);
    await runs.untilRunning(5);
    const depths = await QueueDepths.open(vhost.url);
    await until(async () =>
      (await depths.of('orders')) === 13 ? undefined : `${await depths.of('orders')} ready`,
    );
    await depths.close();
    expect(worker.consumer.state).toMatchObject({ running: 5, waiting: 2 });
    gate.open();
    await runs.untilSucceeded(20);
    expect(runs.notOnce(ledger.idsOf('accepted'))).toEqual([]);
    expect(runs.mostRunning).toBe(5);
  });
});
