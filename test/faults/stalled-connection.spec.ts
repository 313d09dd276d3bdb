import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkQueueRuntime } from '@spillway/work-queue';
import { drainIds } from '../support/drain.js';
import { type Attempt, Ledger, outcomesOf, p99Ms } from '../support/ledger.js';
import { openPublisher } from '../support/open-publisher.js';
import { StallingProxy } from '../support/stalling-proxy.js';
import { createVhost, type TestVhost } from '../support/vhost.js';

const WINDOW = 20;
const CONFIRM_TIMEOUT_MS = 500;
const SLOT_WAIT_MS = 50;
const FURTHER = 400;
/** Sooner than the deadline by far, on a busy machine too. */
const BUSY_WITHIN_MS = SLOT_WAIT_MS + 100;

describe('a connection that takes nothing any more and does not break', () => {
  let vhost: TestVhost;
  let proxy: StallingProxy;
  let publisher: WorkQueueRuntime;
  let ledger: Ledger;
  let stalled: Attempt[];
  let further: Attempt[];
  let resumedAfterMs: number;
  let idsInQueue: string[];

  beforeAll(async () => {
    vhost = await createVhost();
    proxy = await StallingProxy.open(vhost.url);
    publisher = await openPublisher(
      { ...vhost, url: proxy.url },
      { orders: { maxLength: 1_000, window: WINDOW, serviceTime: '1ms' } },
      { confirmTimeoutMs: CONFIRM_TIMEOUT_MS, slotWaitMs: SLOT_WAIT_MS },
    );
    ledger = new Ledger(publisher.queue('orders'));
    await ledger.publish();
    proxy.stall();
    stalled = await ledger.publishMany(WINDOW);
    further = await ledger.publishMany(FURTHER, 2 * WINDOW);
    proxy.resume();
    resumedAfterMs = await ledger.answeredAfterMs('accepted', 5_000);
    idsInQueue = await drainIds(vhost.url, 'orders');
  });

  afterAll(async () => {
    await publisher.close();
    await proxy.close();
    await vhost.delete();
  });

  it('leaves what was sent unknown at the confirm deadline', () => {
    expect(outcomesOf(stalled)).toEqual({ unknown: WINDOW });
    for (const { tookMs } of stalled) {
      expect(tookMs).toBeGreaterThanOrEqual(CONFIRM_TIMEOUT_MS - 1);
      expect(tookMs).toBeLessThan(2 * CONFIRM_TIMEOUT_MS);
    }
  });

  it('has further publishes refused as busy once they have waited for a slot', () => {
    expect(outcomesOf(further)).toEqual({ 'gateway-busy': FURTHER });
    expect(p99Ms(further)).toBeLessThan(BUSY_WITHIN_MS + ledger.stalledMs);
  });

  it('takes publishes again by itself when it goes on', () => {
    expect(resumedAfterMs).toBeLessThan(1_000);
  });

  it('has nothing waiting in memory but the window, which the broker stores once', () => {
    const unknown = ledger.idsOf('unknown');
    expect(idsInQueue.filter((id) => unknown.includes(id))).toHaveLength(WINDOW);
    expect(ledger.differences(idsInQueue)).toEqual([]);
    expect(proxy.publishes).toBe(ledger.tally().accepted + WINDOW);
  });
});
