import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WorkQueueRuntime } from '@spillway/work-queue';
import { drainIds } from '../support/drain.js';
import { differences, Ledger, outcomesOf } from '../support/ledger.js';
import { openPublisher } from '../support/open-publisher.js';
import { readyMessages } from '../support/queue.js';
import { until } from '../support/until.js';
import { createVhost, manage, type TestVhost } from '../support/vhost.js';

const PUBLISHES = 500;
const LANES = 10;
/**
 * The answers after the deletion. A quorum queue that goes between routing and delivery crashes the channel in the
 * broker, which then ends the connection with 541 (rabbitmq-server issue 3627), and a process that comes back makes
 * its queues again. Publishers cannot prevent it; they can be right about it.
 */
const AMID_PUBLISHES = {
  classic: ['unroutable'],
  quorum: ['unroutable', 'broker-unavailable', 'unknown', 'accepted'],
} as const;

describe.each(['classic', 'quorum'] as const)('a %s queue that is deleted under its publisher', (type) => {
  let vhost: TestVhost;
  let publisher: WorkQueueRuntime;
  let lost: string[];
  let orders: Ledger;
  let sibling: Ledger;

  beforeEach(async () => {
    vhost = await createVhost();
    const qos = { type, maxLength: 10_000, window: LANES, serviceTime: '1ms' };
    publisher = await openPublisher(vhost, { orders: qos, sibling: qos }, { confirmTimeoutMs: 1_000 });
    lost = [];
    publisher.telemetry.on('connection.lost', ({ reason }) => lost.push(reason));
    orders = new Ledger(publisher.queue('orders'));
    sibling = new Ledger(publisher.queue('sibling'));
  });

  afterEach(async () => {
    await publisher.close();
    await vhost.delete();
  });

  const deleteOrders = () => manage('DELETE', `queues/${vhost.name}/orders`);

  it('answers unroutable when nothing was ever published to it', async () => {
    await deleteOrders();
    await orders.publishMany(100, LANES);
    expect(outcomesOf(orders.attempts)).toEqual({ unroutable: 100 });
    expect(lost).toEqual([]);
  });

  it('answers unroutable from then on, and its sibling on the same connection notices nothing', async () => {
    await orders.publishMany(100, LANES);
    const publishing = sibling.publishMany(PUBLISHES, LANES);
    await deleteOrders();
    const later = await orders.publishMany(100, LANES);
    await publishing;
    expect(outcomesOf(later)).toEqual({ unroutable: 100 });
    expect(sibling.tally()).toEqual({ accepted: PUBLISHES, shed: 0, unknown: 0 });
    expect(sibling.differences(await drainIds(vhost.url, 'sibling'))).toEqual([]);
    expect(lost).toEqual([]);
  });

  it('accepts nothing that is not there when that happens amid publishes', async () => {
    const publishing = Promise.all([
      orders.publishMany(PUBLISHES, LANES),
      sibling.publishMany(PUBLISHES, LANES),
    ]);
    await until(async () => (orders.tally().accepted > LANES ? undefined : 'nothing is accepted yet'));
    await deleteOrders();
    const deletedAt = performance.now();
    await publishing;
    await sibling.answeredAfterMs('accepted', 5_000);
    await orders.publishMany(100, LANES);
    const later = orders.attempts.filter(({ startedAt }) => startedAt > deletedAt);
    expect(AMID_PUBLISHES[type]).toEqual(expect.arrayContaining(Object.keys(outcomesOf(later))));
    const isThere = (await readyMessages(vhost.url, 'orders')) !== undefined;
    expect(differences(later, isThere ? await drainIds(vhost.url, 'orders') : [])).toEqual([]);
    expect(sibling.differences(await drainIds(vhost.url, 'sibling'))).toEqual([]);
  });
});
