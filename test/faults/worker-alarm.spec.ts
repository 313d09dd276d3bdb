import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Gate } from '../support/journal.js';
import { Ledger } from '../support/ledger.js';
import { PRIVATE_BROKER_START_MS, PrivateBroker } from '../support/private-broker.js';
import { readyMessages } from '../support/queue.js';
import { until } from '../support/until.js';
import { Worker } from '../support/worker.js';

const JOBS = 120;
/** Fewer than run at once, so that there is a place for others beside them; the first in the queue. */
const FAILING = 3;
const CONCURRENCY = 5;

let broker: PrivateBroker;

beforeAll(async () => {
  broker = await PrivateBroker.start();
}, PRIVATE_BROKER_START_MS);

afterAll(() => broker.close());

describe('a memory alarm while there is work', () => {
  const qos = {
    type: 'quorum',
    maxLength: 1_000,
    serviceTime: '5ms',
    window: 20,
    concurrency: CONCURRENCY,
    breakAfter: 0,
    maxAttempts: 3,
    backoff: { initial: '100ms', max: '100ms' },
  };
  const options = { queues: { orders: qos }, settings: { confirmTimeoutMs: 1_000 } };
  const ids = Array.from({ length: JOBS }, (_, index) => `${index < FAILING ? 'fails' : 'works'}-${index}`);
  const works = ids.filter((id) => id.startsWith('works'));
  const gate = new Gate();
  let publisher: Worker;
  let worker: Worker;
  let ledger: Ledger;
  let succeededInAlarm: string[];
  let endsInAlarm: string[];

  beforeAll(async () => {
    publisher = await Worker.connect(broker, options);
    ledger = new Ledger(publisher.runtime.queue('orders'));
    worker = await Worker.open(broker, options, async ({ id }, { attempt }) => {
      await gate.opened;
      await delay(50);
      if (id.startsWith('fails') && attempt === 1) throw new Error('once');
    });
    for (const id of ids) await ledger.publish(id);
    await worker.runs.untilRunning(CONCURRENCY);
    await broker.raiseMemoryAlarm();
    await until(async () => {
      const { outcome } = await ledger.publish('probe');
      return outcome === 'broker-alarm' ? undefined : `a publish is ${outcome}`;
    });
    gate.open();
    await until(async () => {
      const missing = works.filter((id) => !worker.runs.succeeded.includes(id));
      return missing.length === 0
        ? undefined
        : `${missing.length} of ${works.length} are not done in the alarm`;
    }, 20_000);
    succeededInAlarm = [...worker.runs.succeeded];
    endsInAlarm = worker.settled.map(({ end }) => end);
    await broker.clearMemoryAlarm();
    await until(async () => {
      const missing = ids.filter((id) => !worker.runs.succeeded.includes(id));
      return missing.length === 0 ? undefined : `${missing.join(', ')} never done`;
    }, 35_000);
  }, 100_000);

  afterAll(async () => {
    await broker.clearMemoryAlarm();
    await Promise.all([worker.close(), publisher.close()]);
  });

  it('lets handlers that succeed go on', () => {
    expect(works.filter((id) => !succeededInAlarm.includes(id))).toEqual([]);
    expect(endsInAlarm.filter((end) => end !== 'succeeded' && end !== 'returned')).toEqual([]);
  });

  it('loses nothing of what failed, does nothing twice that succeeded, and is over by itself', async () => {
    expect(worker.runs.notOnce(ids)).toEqual([]);
    expect(worker.idsOf('set-aside')).toEqual([]);
    expect(await readyMessages(broker.url, 'orders.dead')).toBe(0);
    await until(async () => (await worker.runtime.health()).problems[0]);
    await expect(ledger.publish()).resolves.toMatchObject({ outcome: 'accepted' });
  });

  it('keeps no worker from starting', async () => {
    await broker.raiseMemoryAlarm();
    await until(async () => {
      const { outcome } = await ledger.publish();
      return outcome === 'broker-alarm' ? undefined : `a publish is ${outcome}`;
    });
    const late = await Worker.open(broker, options, async () => undefined);
    expect(late.consumer.state.isWell).toBe(true);
    await late.close();
    await broker.clearMemoryAlarm();
  });
});
