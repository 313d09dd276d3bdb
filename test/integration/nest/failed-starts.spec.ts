import { Injectable, Module, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ConfigurationError,
  HandlerRegistrationError,
  InjectWorkQueue,
  TopologyError,
  WorkHandler,
  WorkQueue,
  WorkQueueRuntime,
} from '@spillway/work-queue';
import { takeAll } from '../../support/messages.js';
import { NestApplications, rootModule, SMALL } from '../../support/nest-applications.js';

let apps: NestApplications;

beforeEach(async () => {
  apps = await NestApplications.create();
});

afterEach(() => apps.close());

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
