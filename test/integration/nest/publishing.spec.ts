import { Inject, Injectable, Module, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Payload } from '@nestjs/microservices';
import {
  ConfigurationError,
  HandlerRegistrationError,
  HEADERS,
  InjectWorkQueue,
  QueueFullError,
  TopologyError,
  WorkHandler,
  WorkQueue,
  WorkQueueModule,
  WorkQueueRuntime,
} from '@spillway/work-queue';
import { Gate, Journal } from '../../support/journal.js';
import { takeAll } from '../../support/messages.js';
import {
  NestApplications,
  nextSettled,
  process,
  rootModule,
  SMALL,
} from '../../support/nest-applications.js';

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
    id: expect.stringMatching(/^[\da-f-]{36}$/),
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

describe('does not start', () => {
  const failureOf = (
    providers: Provider[],
    imports = [apps.workQueue({ orders: SMALL })],
  ): Promise<unknown> =>
    NestFactory.createApplicationContext(rootModule({ imports, providers }), {
      logger: false,
      abortOnError: false,
    }).then(
      (app) => apps.adopt(app),
      (error: unknown) => error,
    );

  class First {
    @WorkHandler('orders')
    one(): void {}
  }

  class Second {
    @WorkHandler('orders')
    two(): void {}
  }

  it('with a queue injected that is not listed, and says where to list it', async () => {
    @Injectable()
    class Lost {
      constructor(@InjectWorkQueue('invoices') readonly queue: WorkQueue) {}
    }
    const error = await failureOf([Lost]);
    expect(String(error)).toContain(
      'WorkQueue "invoices" (list it in WorkQueueModule.forRoot({ queues: [...] }))',
    );
  });

  it('with a listed queue that has no QoS, and names those that have one', async () => {
    const error = await failureOf(
      [],
      [apps.workQueue({ orders: SMALL }, { queues: ['orders', 'invoices'] })],
    );
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toHaveProperty(
      'message',
      'queue "invoices" has no QoS in WorkQueueModule config (it has: orders). Add it under queues, or correct the name.',
    );
  });

  it('with a handler for a queue that has no QoS', async () => {
    class Handler {
      @WorkHandler('ordres')
      handle(): void {}
    }
    const error = await failureOf([Handler]);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toHaveProperty(
      'message',
      expect.stringContaining('queue "ordres" has no QoS in WorkQueueModule config'),
    );
  });

  it('with two handlers for one queue, and names both', async () => {
    const error = await failureOf([First, Second]);
    expect(error).toBeInstanceOf(HandlerRegistrationError);
    expect(error).toHaveProperty('message', expect.stringContaining('First.one and Second.two'));
  });

  it('with one handler class in two modules', async () => {
    @Module({ providers: [First] })
    class OneModule {}
    const imports = [apps.workQueue({ orders: SMALL }), { module: OneModule }];
    await expect(failureOf([First], imports)).resolves.toBeInstanceOf(HandlerRegistrationError);
  });

  it('and leaves nothing running and no message touched when a handler is refused', async () => {
    const queues = { orders: SMALL };
    const publisher = await apps.start({ imports: [apps.workQueue(queues)] });
    await publisher.get(WorkQueueRuntime).queue('orders').publish('waiting');
    const runtimes: WorkQueueRuntime[] = [];
    @Injectable()
    class Witness {
      constructor(runtime: WorkQueueRuntime) {
        runtimes.push(runtime);
      }
    }
    await expect(failureOf([First, Second, Witness])).resolves.toBeInstanceOf(HandlerRegistrationError);
    expect(runtimes).toHaveLength(1);
    await expect(runtimes[0]?.health()).resolves.toEqual({ isReady: false, problems: ['shutting down'] });
    await expect(takeAll(apps.vhost.url, 'orders')).resolves.toMatchObject([
      { payload: 'waiting', isRedelivered: false },
    ]);
  });

  it('and leaves nothing running when a queue is not as configured', async () => {
    await apps.start({ imports: [apps.workQueue({ orders: SMALL })] });
    const runtimes: WorkQueueRuntime[] = [];
    @Injectable()
    class Witness {
      constructor(runtime: WorkQueueRuntime) {
        runtimes.push(runtime);
      }
    }
    const error = await failureOf([Witness], [apps.workQueue({ orders: { ...SMALL, type: 'quorum' } })]);
    expect(error).toBeInstanceOf(TopologyError);
    await expect(runtimes[0]?.health()).resolves.toEqual({ isReady: false, problems: ['shutting down'] });
  });

  it('with WorkQueueModule imported twice', async () => {
    const queues = { orders: SMALL, invoices: SMALL };
    const imports = [
      apps.workQueue(queues, { queues: ['orders'] }),
      apps.workQueue(queues, { queues: ['invoices'] }),
    ];
    const error = await failureOf([], imports);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toHaveProperty('message', expect.stringContaining('WorkQueueModule is imported 2 times'));
  });

  it('with a prefetch below the concurrency', async () => {
    class Handler {
      @WorkHandler('orders', { prefetch: 1, concurrency: 2 })
      handle(): void {}
    }
    const error = await failureOf([Handler]);
    expect(error).toHaveProperty('message', expect.stringContaining('got: prefetch 1, concurrency 2'));
  });
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
    expect(dead?.headers[HEADERS.deadError]).toContain('QueueFullError: queue next is full');
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
