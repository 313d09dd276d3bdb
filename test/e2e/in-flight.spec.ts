import 'reflect-metadata';
import { setTimeout as work } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type INestApplicationContext, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WorkHandler, type WorkQueue, WorkQueueModule, workQueueToken } from '@spillway/work-queue';
import { createVhost, type TestVhost } from '../support/vhost.js';

const COUNT = 300;
const PREFETCH = 4;

/** Measures itself: how many of it run, and how many ever did. */
@Injectable()
class Meter {
  running = 0;
  most = 0;
  readonly seen: string[] = [];
  readonly allSeen = deferred();

  @WorkHandler('jobs')
  async handle(job: { name: string; workMs: number }): Promise<void> {
    this.most = Math.max(this.most, ++this.running);
    await work(job.workMs);
    this.running--;
    this.seen.push(job.name);
    if (this.seen.length === COUNT) this.allSeen.resolve();
  }
}

describe('the handlers of a queue', () => {
  let vhost: TestVhost;
  let app: INestApplicationContext | undefined;

  afterEach(async () => {
    await app?.close();
    await vhost.delete();
  });

  it.each(['classic', 'quorum'])(
    'never run more than prefetch at once on a %s queue, and reach it',
    async (type) => {
      vhost = await createVhost();
      app = await start(vhost, type);
      const queue = app.get<WorkQueue>(workQueueToken('jobs'));
      const meter = app.get(Meter);
      const names = Array.from({ length: COUNT }, (_, index) => `job ${index}`);
      for (const [index, name] of names.entries()) await queue.publish({ name, workMs: (index * 7) % 10 });
      await meter.allSeen.promise;
      expect(meter.most).toBe(PREFETCH);
      expect(meter.seen.toSorted()).toEqual(names.toSorted());
    },
    60_000,
  );
});

async function start(vhost: TestVhost, type: string): Promise<INestApplicationContext> {
  const { url, managementUrl } = vhost;
  const config = { queues: { jobs: { maxLength: 1_000, serviceTime: '5ms', prefetch: PREFETCH, type } } };
  @Module({
    imports: [WorkQueueModule.forRoot({ url, managementUrl, config, queues: ['jobs'] })],
    providers: [Meter],
  })
  class AppModule {}
  return NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'], abortOnError: false });
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
