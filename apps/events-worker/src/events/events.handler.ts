import { Injectable } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { GITHUB_EVENTS, GithubEvent } from '@spillway/contracts';
import { PermanentFailure, WorkContext, WorkHandler } from '@spillway/work-queue';
import { EventStore } from './event.store.js';
import { isPermanentDatabaseError } from './permanent-database-error.js';
import { ServiceTime } from './service-time.js';

export interface EventRecord {
  deliveryId: string;
  outcome: 'written' | 'already-there';
}

/** Writes each GitHub event once, however often it is delivered. */
@Injectable()
export class EventsHandler {
  constructor(
    private readonly store: EventStore,
    private readonly serviceTime: ServiceTime,
  ) {}

  /** What it resolves with is the answer to a caller that waits. */
  @WorkHandler(GITHUB_EVENTS)
  async record(@Payload() event: GithubEvent, @Ctx() work: WorkContext): Promise<EventRecord> {
    await this.serviceTime.spend(work.signal);
    try {
      return { deliveryId: event.deliveryId, outcome: await this.store.record(event) };
    } catch (error) {
      // Data the database can never take; the row would fail for ever.
      if (isPermanentDatabaseError(error)) throw new PermanentFailure(String(error), { cause: error });
      throw error;
    }
  }
}
