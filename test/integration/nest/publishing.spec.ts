import { Inject, Injectable, Module } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import {
  HEADERS,
  InjectWorkQueue,
  QueueFullError,
  WorkHandler,
  WorkQueue,
  WorkQueueModule,
  WorkQueueRuntime,
} from '@spillway/work-queue';
import { Gate, Journal } from '../../support/journal.js';
import { takeAll } from '../../support/messages.js';
import { NestApplications, nextSettled, process, SMALL } from '../../support/nest-applications.js';

@Injectable()
class Shop {
  constructor(@InjectWorkQueue('orders') readonly orders: WorkQueue<{ quantity: number }>) {}
}

@Injectable()
class PropertyShop {
  @InjectWorkQueue('orders')
  readonly orders: WorkQueue;
}

let journal: Journal;
let apps: NestApplications;

beforeEach(async () => {
  journal = new Journal();
  apps = await NestApplications.create();
});

afterEach(() => apps.close());

it('an injected queue publishes with an id of its own or a given one', async () => {
  const app = await apps.start({
    imports: [apps.workQueue({ orders: SMALL })],
    providers: [Shop, PropertyShop],
  });
  const { orders } = app.get(Shop);
  const receipt = await orders.publish({ quantity: 1 });
  expect(receipt).toEqual({
    id: expect.stringMatching(/^[\w-]{22}$/),
    queue: 'orders',
    mayBeDropped: false,
  });
  await expect(
    orders.publish({ quantity: 2 }, { messageId: 'order-2', headers: { tenant: 'a' } }),
  ).resolves.toMatchObject({
    id: 'order-2',
  });
  expect(app.get(PropertyShop).orders).toBe(orders);
  const [, second] = await takeAll(apps.vhost.url, 'orders');
  expect(second).toMatchObject({ payload: { quantity: 2 }, headers: { tenant: 'a' } });
});

it('a module that imports nothing itself can inject a queue', async () => {
  @Module({ providers: [Shop] })
  class ShopModule {}
  const app = await apps.start({ imports: [ShopModule, apps.workQueue({ orders: SMALL })] });
  expect(app.get(Shop, { strict: false }).orders).toBeInstanceOf(WorkQueue);
});

it('onModuleInit and onApplicationBootstrap may publish already', async () => {
  @Injectable()
  class Early extends Shop {
    async onModuleInit(): Promise<void> {
      await this.orders.publish({ quantity: 1 });
    }

    async onApplicationBootstrap(): Promise<void> {
      await this.orders.publish({ quantity: 2 });
    }
  }
  await apps.start({ imports: [apps.workQueue({ orders: SMALL })], providers: [Early] });
  const payloads = (await takeAll(apps.vhost.url, 'orders')).map(({ payload }) => payload);
  expect(payloads).toEqual([{ quantity: 1 }, { quantity: 2 }]);
});

it('a quorum queue takes publishes once the application has started', async () => {
  const app = await apps.start({
    imports: [apps.workQueue({ orders: { ...SMALL, type: 'quorum' } })],
    providers: [Shop],
  });
  await app.get(Shop).orders.publish({ quantity: 1 });
  await expect(takeAll(apps.vhost.url, 'orders')).resolves.toHaveLength(1);
});

it('a full queue refuses, and nothing of the refused message is stored', async () => {
  const app = await apps.start({
    imports: [apps.workQueue({ orders: { ...SMALL, maxLength: 2 } })],
    providers: [Shop],
  });
  const { orders } = app.get(Shop);
  await orders.publish({ quantity: 1 });
  await orders.publish({ quantity: 2 });
  await expect(orders.publish({ quantity: 3 })).rejects.toThrow(QueueFullError);
  await expect(takeAll(apps.vhost.url, 'orders')).resolves.toHaveLength(2);
});

it('forRootAsync takes its options from providers of the modules it imports', async () => {
  const options = apps.options({ orders: SMALL });
  @Module({ providers: [{ provide: 'OPTIONS', useValue: options }], exports: ['OPTIONS'] })
  class ConfigModule {}
  const workQueue = WorkQueueModule.forRootAsync({
    queues: ['orders'],
    imports: [ConfigModule],
    inject: ['OPTIONS'],
    useFactory: async (given: typeof options) => Promise.resolve(given),
  });
  const app = await apps.start({ imports: [workQueue], providers: [Shop] });
  await app.get(Shop).orders.publish({ quantity: 1 });
  await expect(takeAll(apps.vhost.url, 'orders')).resolves.toHaveLength(1);
});

describe('a handler that publishes onward', () => {
  @Injectable()
  class Forwarder {
    constructor(@InjectWorkQueue('next') private readonly next: WorkQueue) {}

    @WorkHandler('orders')
    async forward(@Payload() payload: unknown): Promise<void> {
      await this.next.publish(payload);
    }
  }

  it('fails its attempt when the next queue is full, and the refusal is not swallowed', async () => {
    const queues = { orders: SMALL, next: { ...SMALL, maxLength: 1 } };
    const app = await apps.start({ imports: [apps.workQueue(queues)], providers: [Forwarder] });
    await expect(process(app, 'orders', 'first')).resolves.toMatchObject({ end: 'succeeded' });
    const settled = await process(app, 'orders', 'second');
    expect(settled).toMatchObject({ end: 'dead-lettered', attempt: 2 });
    expect(settled.error).toBeInstanceOf(QueueFullError);
    const [dead] = await takeAll(apps.vhost.url, 'orders.dead');
    expect(dead?.headers[HEADERS.deadError]).toContain('NoWorkersError: queue next is full');
  });
});

it('prefetch and concurrency of the decorator win over the QoS file', async () => {
  const gate = new Gate();
  @Injectable()
  class Narrow {
    constructor(@Inject(WorkQueueRuntime) readonly runtime: WorkQueueRuntime) {}

    @WorkHandler('orders', { concurrency: 1 })
    async handle(@Payload() payload: string): Promise<void> {
      journal.write(`start ${payload}`);
      await gate.opened;
      journal.write(`end ${payload}`);
    }
  }
  const app = await apps.start({ imports: [apps.workQueue({ orders: SMALL })], providers: [Narrow] });
  const { runtime } = app.get(Narrow);
  const first = nextSettled(app, 'orders');
  await runtime.queue('orders').publish('a');
  await runtime.queue('orders').publish('b');
  await journal.until('start a');
  gate.open();
  await first;
  await journal.until('end b');
  expect(journal.entries).toEqual(['start a', 'end a', 'start b', 'end b']);
});
