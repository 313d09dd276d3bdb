import { Injectable } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import {
  IdempotencyConflictError,
  PublishRefusedError,
  WorkContext,
  WorkHandler,
  type WorkQueueRuntime,
} from '@spillway/work-queue';
import { Journal } from '../support/journal.js';
import { takeAll } from '../support/messages.js';
import { NestApplications, SMALL } from '../support/nest-applications.js';
import { openPublisher } from '../support/open-publisher.js';
import { until } from '../support/until.js';

const QUEUES = { payments: SMALL };
const FIRST = { messageId: 'payment-1' };

let apps: NestApplications;
let shop: WorkQueueRuntime;

beforeEach(async () => {
  apps = await NestApplications.create();
  shop = await openPublisher(apps.vhost, QUEUES);
});

afterEach(async () => {
  await shop.close();
  await apps.close();
});

function reasonOf(error: unknown): string {
  if (error instanceof PublishRefusedError && error.reason !== 'conflict') return error.reason;
  throw error;
}

it('work that is published twice under one id has one effect in a handler that writes once per id', async () => {
  const journal = new Journal();
  const paid = new Map<string, unknown>();
  @Injectable()
  class Payments {
    @WorkHandler('payments')
    pay(@Payload() payload: unknown, @Ctx() { messageId }: WorkContext): { paid: unknown } {
      journal.write(messageId);
      if (!paid.has(messageId)) paid.set(messageId, payload);
      return { paid: paid.get(messageId) };
    }
  }
  await apps.start({ imports: [apps.workQueue(QUEUES, { queues: [] })], providers: [Payments] });
  const payments = shop.queue('payments');
  await payments.publish({ amount: 5 }, FIRST);
  const outcome = await payments.request({ amount: 5 }, { ...FIRST, waitMs: 20_000 });
  await journal.until('payment-1', 2);
  expect([...paid]).toEqual([['payment-1', { amount: 5 }]]);
  expect(outcome).toMatchObject({ isDone: true, result: { paid: { amount: 5 } } });
});

it('an id that was used for another payload is a conflict, and nothing is stored', async () => {
  const payments = shop.queue('payments');
  await payments.publish({ amount: 5 }, FIRST);
  const other = payments.publish({ amount: 6 }, FIRST);
  await expect(other).rejects.toThrow(IdempotencyConflictError);
  await expect(other).rejects.toMatchObject({ reason: 'conflict', code: 'WQ_IDEMPOTENCY_CONFLICT' });
  await expect(takeAll(apps.vhost.url, 'payments')).resolves.toMatchObject([{ payload: { amount: 5 } }]);
});

it('an id whose message was refused may be used for other content', async () => {
  const full = await openPublisher(apps.vhost, { full: { ...SMALL, maxLength: 1 } });
  try {
    const queue = full.queue('full');
    await queue.publish('fills it');
    await expect(queue.publish('one', FIRST)).rejects.toMatchObject({ reason: 'no-workers' });
    await takeAll(apps.vhost.url, 'full');
    // The door opens when it has found out that there is room.
    await until(() => queue.publish('two', FIRST).then(() => undefined, reasonOf), 10_000);
    await expect(takeAll(apps.vhost.url, 'full')).resolves.toMatchObject([{ payload: 'two' }]);
  } finally {
    await full.close();
  }
});
