import { type DynamicModule, Module } from '@nestjs/common';
import { GITHUB_EVENTS, githubEventCodec } from '@spillway/contracts';
import { WorkQueueModule } from '@spillway/work-queue';
import { DatabaseModule } from './database/database.module.js';
import { EventsHandler } from './events/events.handler.js';
import { ServiceTime } from './events/service-time.js';
import type { WorkerOptions } from './options.js';

/** Far above any concurrency: the handlers running at once are the bound, and the pool only follows it. */
const MOST_CONNECTIONS = 1_000;

@Module({})
export class EventsWorkerModule {
  static forRoot(options: WorkerOptions): DynamicModule {
    const { databaseUrl: url, dataDir } = options;
    return {
      module: EventsWorkerModule,
      imports: [
        WorkQueueModule.forRoot({ name: 'events-worker', codecs: { [GITHUB_EVENTS]: githubEventCodec } }),
        DatabaseModule.forRoot({ url, dataDir, poolSize: MOST_CONNECTIONS }),
      ],
      providers: [EventsHandler, { provide: ServiceTime, useValue: new ServiceTime(options.serviceTime) }],
    };
  }
}
