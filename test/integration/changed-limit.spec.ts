import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WorkQueueRuntime } from '@spillway/work-queue';
import { Ledger, outcomesOf } from '../support/ledger.js';
import { openPublisher } from '../support/open-publisher.js';
import { until } from '../support/until.js';
import { createVhost, manage, type TestVhost } from '../support/vhost.js';

const LIMIT = 10;

describe('a limit that was changed by hand', () => {
  let vhost: TestVhost;
  let publisher: WorkQueueRuntime;
  let ledger: Ledger;

  beforeEach(async () => {
    vhost = await createVhost();
    const orders = { type: 'classic', maxLength: LIMIT, serviceTime: '1ms' };
    publisher = await openPublisher(vhost, { orders });
    ledger = new Ledger(publisher.queue('orders'));
  });

  afterEach(async () => {
    await publisher.close();
    await vhost.delete();
  });

  const policy = (): string => `policies/${vhost.name}/spillway.orders`;

  const setLimit = async (maxLength: number): Promise<void> => {
    const definition = { 'max-length': maxLength, overflow: 'reject-publish' };
    await manage('PUT', policy(), { pattern: '^orders$', 'apply-to': 'queues', priority: 100, definition });
  };

  const untilLow = async (outcome: string): Promise<void> => {
    await until(async () => {
      const got = await lowOutcome();
      return got === outcome ? undefined : got;
    }, 10_000);
  };

  const lowOutcome = async (): Promise<string> => {
    try {
      await publisher.queue('orders').publish({}, { priority: 'low' });
      return 'accepted';
    } catch (error) {
      return String(Reflect.get(Object(error), 'reason'));
    }
  };

  it('is learnt from the refusals it explains, by nobody asking', async () => {
    await setLimit(2);
    await ledger.publishMany(3, 1);
    await until(async () => {
      const { outcome } = await ledger.publish();
      return outcome === 'no-workers' ? undefined : outcome;
    }, 10_000);
    expect(Object.keys(outcomesOf(ledger.attempts))).toContain('no-workers');
  });

  it.each([
    ['raised', () => setLimit(10 * LIMIT)],
    ['taken away', async () => void (await manage('DELETE', policy()))],
  ])('and %s is learnt by low priority alone', async (_how, change) => {
    await ledger.publishMany(8, 1);
    await untilLow('queue-full');
    await change();
    await untilLow('accepted');
    await expect(lowOutcome()).resolves.toBe('accepted');
  });
});
