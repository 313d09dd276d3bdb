import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { type WorkQueue, WorkQueueModule, workQueueToken } from '@spillway/work-queue';
import { servePublisher } from '../serve-publisher.js';

/** So long that it is never full: refusing is not what is measured here. */
const MAX_LENGTH = 1_000_000_000;

/** As an application has it: the whole module, a bounded queue of its own, the message's id and headers. */
servePublisher(async ({ url, managementUrl, queue, queueType, window }) => {
  const qos = { type: queueType, maxLength: MAX_LENGTH, window };
  const module = WorkQueueModule.forRoot({
    queues: [queue],
    url,
    managementUrl,
    config: { queues: { [queue]: qos } },
  });
  const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  const workQueue = app.get<WorkQueue>(workQueueToken(queue));
  return { publish: (payload) => workQueue.publish(payload), close: () => app.close() };
});
