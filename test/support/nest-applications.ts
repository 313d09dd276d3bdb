import type { DynamicModule, INestApplicationContext, ModuleMetadata, Provider, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type JobSettled,
  Telemetry,
  WorkQueueModule,
  type WorkQueueOptions,
  WorkQueueRuntime,
} from '@spillway/work-queue';
import { createVhost, type TestVhost } from './vhost.js';

/** Limit 100, two attempts without a noticeable pause between them. */
export const SMALL = {
  type: 'classic',
  maxLength: 100,
  serviceTime: '5ms',
  concurrency: 2,
  maxAttempts: 2,
  backoff: { initial: '1ms', max: '1ms' },
} as const;

/** What a handler is a method of. */
export type HandlerHost = 'provider' | 'controller';

/** The applications of one test on a vhost of their own. Close them all before anything else is asserted to be gone. */
export class NestApplications {
  private readonly started: INestApplicationContext[] = [];

  private constructor(readonly vhost: TestVhost) {}

  static async create(): Promise<NestApplications> {
    return new NestApplications(await createVhost());
  }

  /** WorkQueueModule on this vhost; publishes to every configured queue unless told otherwise. */
  workQueue(queues: Readonly<Record<string, object>>, options: WorkQueueOptions = {}): DynamicModule {
    return WorkQueueModule.forRoot(this.options(queues, options));
  }

  options(queues: Readonly<Record<string, object>>, options: WorkQueueOptions = {}): WorkQueueOptions {
    const { url, managementUrl } = this.vhost;
    return { url, managementUrl, queues: Object.keys(queues), config: { queues }, ...options };
  }

  /** Starts an application context, the usual form of a worker. */
  async start(metadata: ModuleMetadata): Promise<INestApplicationContext> {
    return this.adopt(
      await NestFactory.createApplicationContext(rootModule(metadata), {
        logger: false,
        abortOnError: false,
      }),
    );
  }

  /** Starts a worker with one handler class, of the queue `jobs`. */
  async startHandler(
    host: HandlerHost,
    handler: Type,
    providers: readonly Provider[],
  ): Promise<INestApplicationContext> {
    return this.start({
      imports: [this.workQueue({ jobs: SMALL })],
      providers: host === 'provider' ? [handler, ...providers] : [...providers],
      controllers: host === 'controller' ? [handler] : [],
    });
  }

  /** Closes it with the others, after the test. */
  adopt<Application extends INestApplicationContext>(application: Application): Application {
    this.started.push(application);
    return application;
  }

  async close(): Promise<void> {
    for (const application of this.started.splice(0).reverse()) await application.close();
    await this.vhost.delete();
  }
}

export function rootModule(metadata: ModuleMetadata): DynamicModule {
  return { module: class RootModule {}, ...metadata };
}

export async function publish(
  application: INestApplicationContext,
  queue: string,
  payload: unknown,
  headers?: Readonly<Record<string, unknown>>,
): Promise<void> {
  await application.get(WorkQueueRuntime).queue(queue).publish(payload, { headers });
}

/** Publishes and resolves with how that message ended. */
export async function process(
  application: INestApplicationContext,
  queue: string,
  payload: unknown,
): Promise<JobSettled> {
  const settled = nextSettled(application, queue);
  await publish(application, queue, payload);
  return settled;
}

/** Ways to be settled after which the same work comes again. */
const FOR_NOW: ReadonlySet<JobSettled['end']> = new Set(['retried', 'deferred', 'set-aside']);

/** Resolves with the next work of the queue that is settled for good from now on. */
export function nextSettled(application: INestApplicationContext, queue: string): Promise<JobSettled> {
  return new Promise((resolve) => {
    const stopListening = application.get(Telemetry).on('job.settled', (event) => {
      if (event.queue !== queue || FOR_NOW.has(event.end)) return;
      stopListening();
      resolve(event);
    });
  });
}
