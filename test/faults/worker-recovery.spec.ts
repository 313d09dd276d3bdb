import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Gate } from '../support/journal.js';
import { Ledger } from '../support/ledger.js';
import { openPublisher } from '../support/open-publisher.js';
import { until } from '../support/until.js';
import { createVhost, manage, type TestVhost } from '../support/vhost.js';
import { closeConnections } from '../support/worker-broker.js';
import { idsIn, spawnWorker } from '../support/worker-process.js';
import { Worker } from '../support/worker.js';

const CONCURRENCY = 4;

let vhost: TestVhost;

beforeEach(async () => {
  vhost = await createVhost();
});

afterEach(() => vhost.delete());

describe.each(['classic', 'quorum'] as const)('a consumer of a %s queue', (type) => {
  const qos = {
    type,
    maxLength: 1_000,
    serviceTime: '10ms',
    window: 20,
    prefetch: 2 * CONCURRENCY,
    concurrency: CONCURRENCY,
    backoff: { initial: '100ms', max: '100ms' },
  };
  let worker: Worker;
  let gate: Gate;

  beforeEach(() => {
    gate = new Gate();
  });

  afterEach(async () => {
    gate.open();
    await worker.close();
  });

  const open = async (): Promise<void> => {
    worker = await Worker.open(vhost, { queues: { orders: qos, invoices: qos } }, () => gate.opened);
  };

  const becomes = (isReady: boolean): Promise<void> =>
    until(async () => {
      const health = await worker.runtime.health();
      return health.isReady === isReady
        ? undefined
        : `ready: ${health.isReady} ${health.problems.join('; ')}`;
    }, 10_000);

  it('goes on after the broker closed its connection; what ran meanwhile is lost and done twice, no more', async () => {
    await open();
    const { runs } = worker;
    const lost: boolean[] = [];
    worker.runtime.telemetry.on('connection.lost', () => {
      void worker.runtime.health().then(({ isReady }) => lost.push(isReady));
    });
    const ledger = new Ledger(worker.runtime.queue('orders'));
    await ledger.publishMany(40, 20);
    await runs.untilRunning(CONCURRENCY);
    const atLoss = runs.started.map(({ id }) => id);
    await closeConnections(vhost.name, ['spillway publish', 'spillway consume']);
    await until(async () => (lost.length > 0 ? undefined : 'nothing is lost'));
    expect(lost).not.toContain(true);
    await becomes(true);
    gate.open();
    await runs.untilSucceeded(40 + CONCURRENCY);
    await until(async () => (worker.consumer.state.running === 0 ? undefined : 'still running'));
    expect(worker.idsOf('lost').toSorted()).toEqual(atLoss.toSorted());
    expect(worker.idsOf('succeeded').toSorted()).toEqual(ledger.idsOf('accepted').toSorted());
    const twice = ledger.idsOf('accepted').filter((id) => runs.startsOf(id).length !== 1);
    expect(twice.toSorted()).toEqual(atLoss.toSorted());
    // Any of them may be why the connection was lost.
    expect(worker.idsOf('set-aside').toSorted()).toEqual(atLoss.toSorted());
    expect(runs.mostRunning).toBeLessThanOrEqual(CONCURRENCY);
  });

  it('goes on by itself when its queue is deleted, while the handler beside it notices nothing', async () => {
    await open();
    const otherGate = new Gate();
    const other = await worker.beside('invoices', () => otherGate.opened);
    const events: string[] = [];
    worker.runtime.telemetry.on('connection.lost', ({ connection, reason }) =>
      events.push(`${connection}: ${reason}`),
    );
    worker.runtime.telemetry.on('consumer.lost', ({ queue }) => events.push(queue));
    await worker.runtime.queue('orders').publish({}, { messageId: 'order' });
    await worker.runtime.queue('invoices').publish({}, { messageId: 'invoice' });
    await Promise.all([worker.runs.untilRunning(1), other.runs.untilRunning(1)]);

    await manage('DELETE', `queues/${vhost.name}/orders`);
    await until(async () => (events.includes('orders') ? undefined : 'nothing is lost'));
    await becomes(true);
    gate.open();
    await worker.runs.untilSucceeded(1);
    await worker.runtime.queue('orders').publish({}, { messageId: 'next order' });
    await worker.runs.untilSucceeded(2);
    expect(new Set(events)).toEqual(new Set(['orders']));
    expect(worker.idsOf('lost')).toEqual(['order']);

    expect(other.runs.running).toBe(1);
    expect(other.settled).toEqual([]);
    otherGate.open();
    await until(async () => (other.settled.length > 0 ? undefined : 'not settled'));
    expect(other.idsOf('succeeded')).toEqual(['invoice']);
    await other.runtime.queue('invoices').publish({}, { messageId: 'next invoice' });
    await other.runs.untilSucceeded(2);
    expect(other.runs.started).toHaveLength(2);
  });
});

describe('a worker process whose connections are closed again and again', () => {
  it('survives, with what failed and what succeeded meanwhile, and does everything', async () => {
    const qos = {
      maxLength: 1_000,
      serviceTime: '50ms',
      prefetch: 10,
      concurrency: 5,
      breakAfter: 0,
      backoff: { initial: '100ms', max: '100ms' },
    };
    const publisher = await openPublisher(vhost, { orders: qos });
    const ids = Array.from({ length: 100 }, (_, index) => `job-${index}`);
    for (const [index, id] of ids.entries()) {
      await publisher.queue('orders').publish({ ms: 100, fails: index % 2 === 0 }, { messageId: id });
    }
    await publisher.close();
    const worker = spawnWorker(vhost, qos);
    try {
      await worker.line(/^ready$/);
      for (let round = 0; round < 2; round++) {
        await closeConnections(vhost.name, ['worker publish', 'worker consume']);
        // The list is some seconds old: not before those are gone from it may it be looked at again.
        await delay(1_000);
      }
      await until(async () => {
        const ended = new Set(idsIn(worker.lines, 'end'));
        const missing = ids.filter((id) => !ended.has(id));
        return missing.length === 0
          ? undefined
          : `no end of ${missing.join(', ')}\n${worker.lines.join('\n')}`;
      }, 20_000);
    } finally {
      expect(await worker.stop()).toBe(0);
    }
  });
});
