import type { Priority, WorkQueueRuntime } from '@spillway/work-queue';
import { PublishRefusedError } from '@spillway/work-queue';
import { takeAll } from '../support/messages.js';
import { SMALL } from '../support/nest-applications.js';
import { openPublisher } from '../support/open-publisher.js';
import { readyMessages } from '../support/queue.js';
import { createVhost, type TestVhost } from '../support/vhost.js';

let vhost: TestVhost;
let shop: WorkQueueRuntime;

beforeEach(async () => {
  vhost = await createVhost();
  shop = await openPublisher(vhost, { orders: { ...SMALL, maxLength: 10 } }, { slotWaitMs: 20_000 });
});

afterEach(async () => {
  await shop.close();
  await vhost.delete();
});

/** Publishes one after the other until one is refused. */
async function publishUntilRefused(priority: Priority): Promise<string> {
  for (let number = 0; number < 20; number++) {
    try {
      await shop.queue('orders').publish(number, { priority });
    } catch (error) {
      if (error instanceof PublishRefusedError) return error.reason;
      throw error;
    }
  }
  return 'all accepted';
}

it('low priority stops at 80 % of the limit, the rest goes on to the limit', async () => {
  expect(await publishUntilRefused('low')).toBe('queue-full');
  expect(await readyMessages(vhost.url, 'orders')).toBe(8);
  expect(await publishUntilRefused('normal')).toBe('no-workers');
  expect(await readyMessages(vhost.url, 'orders')).toBe(10);
});

it('low priority that comes all at once takes no more than its share', async () => {
  const orders = shop.queue('orders');
  const publishes = Array.from({ length: 20 }, (_, number) => orders.publish(number, { priority: 'low' }));
  const ends = await Promise.allSettled(publishes);
  expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(8);
  expect(await readyMessages(vhost.url, 'orders')).toBe(8);
});

it('low priority gets in again once there is room', async () => {
  await publishUntilRefused('low');
  await takeAll(vhost.url, 'orders');
  await expect(shop.queue('orders').publish(1, { priority: 'low' })).resolves.toMatchObject({
    queue: 'orders',
  });
});
