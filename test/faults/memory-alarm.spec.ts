import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkQueueRuntime } from '@spillway/work-queue';
import { drainIds } from '../support/drain.js';
import { flood, RSS_GROWTH_MIB } from '../support/flood.js';
import { type Attempt, Ledger, outcomesOf, p99Ms } from '../support/ledger.js';
import { openPublisher } from '../support/open-publisher.js';
import { PRIVATE_BROKER_START_MS, PrivateBroker } from '../support/private-broker.js';

const WINDOW = 20;
const REFUSED = 2_000;

let broker: PrivateBroker;

beforeAll(async () => {
  broker = await PrivateBroker.start();
}, PRIVATE_BROKER_START_MS);

afterAll(() => broker.close());

describe('a memory alarm, set and cleared', () => {
  let publisher: WorkQueueRuntime;
  let ledger: Ledger;
  let met: Attempt[];
  let known: Attempt[];
  let resumedAfterMs: number;
  let idsInQueue: string[];

  beforeAll(async () => {
    const qos = { maxLength: 1_000, window: WINDOW, serviceTime: '1ms' };
    publisher = await openPublisher(broker, { orders: qos });
    ledger = new Ledger(publisher.queue('orders'));
    await ledger.publishMany(WINDOW);
    await broker.raiseMemoryAlarm();
    met = await ledger.publishMany(WINDOW);
    known = await ledger.publishMany(REFUSED, WINDOW);
    await broker.clearMemoryAlarm();
    resumedAfterMs = await ledger.answeredAfterMs('accepted', 10_000);
    idsInQueue = await drainIds(broker.url, 'orders');
  });

  afterAll(() => publisher.close());

  it('leaves unknown what met it, and says so within a second', () => {
    expect(outcomesOf(met)).toEqual({ unknown: WINDOW });
    expect(Math.max(...met.map(({ tookMs }) => tookMs))).toBeLessThan(1_000);
  });

  it('has what comes while it is known refused within 50 ms', () => {
    expect(outcomesOf(known)).toEqual({ 'broker-alarm': REFUSED });
    expect(p99Ms(known)).toBeLessThanOrEqual(50 + ledger.stalledMs);
  });

  it('lets publishes through again by itself when it clears', () => {
    expect(resumedAfterMs).toBeLessThan(1_000);
  });

  it('has what met it delivered once afterwards, and nothing that was refused', () => {
    const unknown = ledger.idsOf('unknown');
    expect(idsInQueue.filter((id) => unknown.includes(id))).toHaveLength(WINDOW);
    expect(ledger.differences(idsInQueue)).toEqual([]);
  });
});

describe('a memory alarm that stays', () => {
  afterAll(() => broker.clearMemoryAlarm());

  it('has 100,000 publishes refused within 50 ms, and memory stays flat', async () => {
    const result = await flood(broker, 'broker-alarm', () => broker.raiseMemoryAlarm());
    expect(result.outcomes).toEqual({ 'broker-alarm': 100_000 });
    expect(result.p99Ms).toBeLessThanOrEqual(50);
    expect(result.heapGrowthMiB).toBeLessThan(3);
    expect(result.rssGrowthMiB).toBeLessThan(RSS_GROWTH_MIB);
  }, 60_000);
});
