import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Gate } from '../support/journal.js';
import { StallingProxy } from '../support/stalling-proxy.js';
import { until } from '../support/until.js';
import { createVhost, type TestVhost } from '../support/vhost.js';
import { Worker } from '../support/worker.js';

const QOS = { maxLength: 100, serviceTime: '10ms', prefetch: 4, concurrency: 2 };

describe('a worker whose connection takes nothing any more and does not break', () => {
  let vhost: TestVhost;
  let proxy: StallingProxy;
  let worker: Worker;
  let gate: Gate;

  beforeEach(async () => {
    vhost = await createVhost();
    proxy = await StallingProxy.open(vhost.url);
    gate = new Gate();
  });

  afterEach(async () => {
    gate.open();
    proxy.resume();
    await worker.close();
    await proxy.close();
    await vhost.delete();
  });

  const open = async (drainTimeoutMs: number): Promise<void> => {
    const address = { ...vhost, url: proxy.url };
    const settings = { drainTimeoutMs, confirmTimeoutMs: 1_000 };
    worker = await Worker.open(address, { queues: { orders: QOS }, settings }, () => gate.opened);
    for (const messageId of ['a', 'b', 'c', 'd'])
      await worker.runtime.queue('orders').publish({}, { messageId });
    await worker.runs.untilRunning(2);
  };

  it('is missed by the broker after some heartbeats, says so, and goes on by itself once it can', async () => {
    await open(20_000);
    proxy.stall();
    const lost = new Promise<void>((resolve) => {
      worker.runtime.telemetry.on('consumer.lost', ({ queue }) => {
        if (queue === 'orders') resolve();
      });
    });
    await lost;
    expect((await worker.runtime.health()).isReady).toBe(false);
    gate.open();
    await worker.runs.untilSucceeded(2);
    expect(worker.runs.started.map(({ id }) => id)).toEqual(['a', 'b']);
    proxy.resume();
    await until(async () => (await worker.runtime.health()).problems[0]);
    await worker.runs.untilSucceeded(6);
    await until(async () => (worker.consumer.state.running === 0 ? undefined : 'still running'));
    expect(worker.idsOf('lost').toSorted()).toEqual(['a', 'b']);
    expect(worker.idsOf('succeeded').toSorted()).toEqual(['a', 'b', 'c', 'd']);
  }, 60_000);

  it('can be stopped all the same', async () => {
    await open(500);
    proxy.stall();
    const startedAt = performance.now();
    await worker.close();
    // The deadline, the grace after it, the outstanding confirms, and what closing a connection may take: 7.5 s.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});
