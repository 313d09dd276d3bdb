import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WorkQueueRuntime } from '@spillway/work-queue';
import { drainIds } from '../support/drain.js';
import { Ledger } from '../support/ledger.js';
import { openPublisher } from '../support/open-publisher.js';
import { createVhost, type TestVhost } from '../support/vhost.js';

const BURST = 1_000;
const LIMIT = 10;
const WINDOW = 20;

describe('a thousand publishes at once into an empty queue of ten', () => {
  let vhost: TestVhost;
  let publisher: WorkQueueRuntime;

  beforeEach(async () => {
    vhost = await createVhost();
    const qos = { maxLength: LIMIT, window: WINDOW, serviceTime: '50ms' };
    publisher = await openPublisher(vhost, {
      classic: { ...qos, type: 'classic' },
      quorum: { ...qos, type: 'quorum' },
    });
  });

  afterEach(async () => {
    await publisher.close();
    await vhost.delete();
  });

  it('are accepted up to exactly the limit on a classic queue, and the others are not there', async () => {
    const ledger = new Ledger(publisher.queue('classic'));
    await ledger.publishMany(BURST);
    expect(ledger.tally()).toEqual({ accepted: LIMIT, shed: BURST - LIMIT, unknown: 0 });
    expect(ledger.differences(await drainIds(vhost.url, 'classic'))).toEqual([]);
  });

  it('are accepted up to at most the limit and the window on a quorum queue, and the others are not there', async () => {
    const ledger = new Ledger(publisher.queue('quorum'));
    await ledger.publishMany(BURST);
    const { accepted, unknown } = ledger.tally();
    expect(accepted).toBeGreaterThanOrEqual(LIMIT);
    expect(accepted).toBeLessThanOrEqual(LIMIT + WINDOW);
    expect(unknown).toBe(0);
    expect(ledger.differences(await drainIds(vhost.url, 'quorum'))).toEqual([]);
  });
});
