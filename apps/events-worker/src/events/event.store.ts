import { Injectable } from '@nestjs/common';
import { EventDatabase } from '../database/event-database.js';
import { InvalidTextError } from './invalid-text.error.js';

export interface RecordedEvent {
  /** Unique for each event; a second record of the same id changes nothing. */
  deliveryId: string;
  event: string;
  action?: string;
  /** JSON in UTF-8, kept character for character. */
  body: Uint8Array;
}

/**
 * Counting what was inserted makes both outcomes return a row, so that silence of the database is noticed: the
 * embedded one answers with no rows and no error if its stack overflows.
 */
const RECORD = `
with written as (
  insert into webhook_events (delivery_id, event, action, payload) values ($1, $2, $3, $4)
  on conflict (delivery_id) do nothing
  returning 1
)
select count(*)::int as written from written`;

/** The table of events. */
@Injectable()
export class EventStore {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor(private readonly database: EventDatabase) {}

  /**
   * Resolves when the event is committed, by this call or by an earlier one: a redelivery is harmless.
   * What it rejects with is told apart by `isPermanentDatabaseError`.
   */
  async record({ deliveryId, event, action, body }: RecordedEvent): Promise<'written' | 'already-there'> {
    const parameters = [deliveryId, event, action ?? null, this.textOf(body)];
    const [row] = await this.database.query<{ written: number }>(RECORD, parameters);
    if (!row) throw new Error(`${this.database.location} did not say whether ${deliveryId} was written`);
    return row.written === 1 ? 'written' : 'already-there';
  }

  private textOf(body: Uint8Array): string {
    try {
      return this.decoder.decode(body);
    } catch (error) {
      throw new InvalidTextError('expected a body in UTF-8, got other bytes', { cause: error });
    }
  }
}
