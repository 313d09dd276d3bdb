import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { DeadLetterService, PermanentFailure, WorkHandler } from '@spillway/work-queue';
import { Journal } from '../../support/journal.js';
import { putBytes } from '../../support/messages.js';
import { NestApplications, nextSettled, SMALL } from '../../support/nest-applications.js';

const journal = new Journal();
let apps: NestApplications;

@Injectable()
class Orders {
  private isMended = false;

  @WorkHandler('orders')
  take(@Payload() order: string): void {
    journal.write(order);
    if (!this.isMended) throw new PermanentFailure('the customer is unknown');
  }

  mend(): void {
    this.isMended = true;
  }
}

beforeEach(async () => {
  journal.entries.length = 0;
  apps = await NestApplications.create();
});

afterEach(() => apps.close());

it('a worker that publishes nothing itself redrives what it has dead-lettered, once its code is mended', async () => {
  const options = { queues: [] };
  const app = await apps.start({
    imports: [apps.workQueue({ orders: SMALL }, options)],
    providers: [Orders],
  });
  const deadLetters = app.get(DeadLetterService);
  const died = nextSettled(app, 'orders');
  await putBytes(apps.vhost.url, 'orders', JSON.stringify('one'));
  await expect(died).resolves.toMatchObject({ end: 'dead-lettered' });
  await expect(deadLetters.count('orders')).resolves.toMatchObject({
    total: 1,
    classes: [{ errorClass: 'PermanentFailure', count: 1 }],
  });
  app.get(Orders).mend();
  const done = nextSettled(app, 'orders');
  const result = await deadLetters.redrive('orders', { errorClass: 'PermanentFailure' });
  expect(result).toMatchObject({ end: { kind: 'finished' }, matched: 1, redriven: 1 });
  await expect(done).resolves.toMatchObject({ end: 'succeeded', attempt: 1 });
  expect(journal.entries).toEqual(['one', 'one']);
});

it('a queue that the QoS file does not know is refused by name', async () => {
  const app = await apps.start({ imports: [apps.workQueue({ orders: SMALL }, { queues: [] })] });
  await expect(app.get(DeadLetterService).count('payments')).rejects.toThrow(/payments/);
});
