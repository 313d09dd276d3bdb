import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WorkQueueRuntime } from '@spillway/work-queue';
import { drainIds } from '../support/drain.js';
import { Ledger, outcomesOf, p99Ms } from '../support/ledger.js';
import { openPublisher } from '../support/open-publisher.js';
import { StallingProxy } from '../support/stalling-proxy.js';
import { createVhost, type TestVhost } from '../support/vhost.js';

const STORM = 10_000;
const LIMIT = 10;
const WINDOW = 100;
/** Of the storm, what the broker may be bothered with: the first window, and a probe now and then. */
const MOST_ASKED = STORM / 20;

describe.each(['classic', 'quorum'] as const)('a full %s queue without workers', (type) => {
  let vhost: TestVhost;
  let proxy: StallingProxy;
  let publisher: WorkQueueRuntime;
  let ledger: Ledger;

  beforeEach(async () => {
    vhost = await createVhost();
    proxy = await StallingProxy.open(vhost.url);
    const qos = { type, maxLength: LIMIT, window: WINDOW, serviceTime: '50ms' };
    publisher = await openPublisher({ ...vhost, url: proxy.url }, { orders: qos });
    ledger = new Ledger(publisher.queue('orders'));
    await ledger.publishMany(2 * LIMIT, 1);
  });

  afterEach(async () => {
    await publisher.close();
    await proxy.close();
    await vhost.delete();
  });

  /** The leader of a quorum queue that has no time is read as 0 and 0, which may be any trouble. */
  const reasons = ['queue-full', 'no-workers', ...(type === 'quorum' ? ['broker-unavailable'] : [])];

  it('refuses ten thousand publishes, and the broker hears of few of them', async () => {
    const askedBefore = proxy.publishes;
    const storm = await ledger.publishMany(STORM, WINDOW);
    const asked = proxy.publishes - askedBefore;
    const { accepted, unknown } = ledger.tally();
    expect(accepted).toBeGreaterThanOrEqual(LIMIT);
    expect(accepted).toBeLessThanOrEqual(type === 'classic' ? LIMIT : LIMIT + WINDOW);
    expect(unknown).toBe(0);
    const { accepted: _, ...refused } = outcomesOf(storm);
    expect(reasons).toEqual(expect.arrayContaining(Object.keys(refused)));
    expect(ledger.differences(await drainIds(vhost.url, 'orders'))).toEqual([]);
    expect(asked).toBeLessThan(MOST_ASKED);
    expect(p99Ms(storm)).toBeLessThanOrEqual(50 + ledger.stalledMs);
  });
});
