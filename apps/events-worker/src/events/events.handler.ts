import { Injectable } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { GITHUB_EVENTS, GithubEvent } from '@spillway/contracts';
import { PermanentFailure, WorkContext, WorkHandler } from '@spillway/work-queue';
import { EventStore } from './event.store.js';
import { isPermanentDatabaseError } from './permanent-database-error.js';
import { ServiceTime } from './service-time.js';

/** Writes each GitHub event once, however often it is delivered. */
@Injectable()
export class EventsHandler {
  constructor(
    private readonly store: EventStore,
    private readonly serviceTime: ServiceTime,
  ) {}

  @WorkHandler(GITHUB_EVENTS)
  async record(@Payload() event: GithubEvent, @Ctx() work: WorkContext): Promise<void> {
    await this.serviceTime.spend(work.signal);
    try {
      await this.store.record(event);
    } catch (error) {
      // Data the database can never take; the row would fail for ever.
      if (isPermanentDatabaseError(error)) throw new PermanentFailure(String(error), { cause: error });
      throw error;
    }
  }
}
