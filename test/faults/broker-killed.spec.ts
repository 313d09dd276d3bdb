import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkQueueRuntime } from '@spillway/work-queue';
import { drainIds } from '../support/drain.js';
import { Ledger, outcomesOf, p99Ms } from '../support/ledger.js';
import { openPublisher } from '../support/open-publisher.js';
import { PRIVATE_BROKER_START_MS, PrivateBroker } from '../support/private-broker.js';
import { until } from '../support/until.js';

const WINDOW = 20;
const PUBLISHES = 5_000;
const BEFORE_THE_KILL = 500;

describe('a broker that is killed between publish and confirm', () => {
  let broker: PrivateBroker;
  let publisher: WorkQueueRuntime;
  let ledger: Ledger;
  let resumedAfterMs: number;
  let stalledMs: number;
  let delivered: string[];

  beforeAll(async () => {
    broker = await PrivateBroker.start();
    const qos = { maxLength: 2 * PUBLISHES, window: WINDOW, serviceTime: '1ms' };
    publisher = await openPublisher(broker, { orders: qos });
    ledger = new Ledger(publisher.queue('orders'));
    const publishing = ledger.publishMany(PUBLISHES, WINDOW);
    await until(async () =>
      ledger.tally().accepted > BEFORE_THE_KILL ? undefined : `accepted ${ledger.tally().accepted}`,
    );
    // Frozen first: every slot of the window is then taken by a publish without its confirm.
    broker.freeze();
    await broker.kill();
    await publishing;
    ({ stalledMs } = ledger);
    await broker.restart();
    resumedAfterMs = await ledger.answeredAfterMs('accepted', 20_000);
    delivered = await drainIds(broker.url, 'orders');
  }, 2 * PRIVATE_BROKER_START_MS);

  afterAll(async () => {
    await publisher.close();
    await broker.close();
  });

  it('leaves unknown what was in the window', () => {
    expect(ledger.tally().unknown).toBe(WINDOW);
  });

  it('has everything later refused within 50 ms', () => {
    const { accepted: _, unknown: __, ...shed } = outcomesOf(ledger.attempts);
    expect(Object.keys(shed)).toEqual(['broker-unavailable']);
    const refused = ledger.attempts.filter(({ outcome }) => outcome === 'broker-unavailable');
    expect(refused.length).toBeGreaterThan(PUBLISHES / 2);
    expect(p99Ms(refused)).toBeLessThanOrEqual(50 + stalledMs);
  });

  it('takes publishes again by itself when it is back', () => {
    expect(resumedAfterMs).toBeLessThan(6_000);
  });

  it('has every accepted message once, what is unknown at most once, and nothing that was refused', () => {
    expect(ledger.differences(delivered)).toEqual([]);
  });

  it('has one effect of each accepted or repeated id when a consumer writes once per id', async () => {
    const unknown = ledger.idsOf('unknown');
    const repeated = new Ledger(publisher.queue('orders'));
    for (const id of unknown) expect(await repeated.publish(id)).toMatchObject({ outcome: 'accepted' });
    const again = await drainIds(broker.url, 'orders');
    const written = new Set([...delivered, ...again]);
    expect([...written].sort()).toEqual([...ledger.idsOf('accepted'), ...unknown].sort());
  });
});
