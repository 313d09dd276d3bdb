import { DatabaseUnavailableError } from '../database/database-unavailable.error.js';
import { errorFacts } from '../database/error-facts.js';
import type { EventDatabase } from '../database/event-database.js';

/** Any number; the same in every worker. */
const TABLE_LOCK = 7_465_102;

/**
 * `json`, not `jsonb`: it keeps the text as GitHub sent it, and takes \u0000 and numbers like 1e400 that jsonb refuses.
 *
 * The lock is there because `create table if not exists` is not safe against itself: workers that start at once
 * fail on pg_type's unique index. The first look is there because it needs no right to create tables.
 */
const CREATE_TABLE = `
do $$ begin
  if to_regclass('webhook_events') is null then
    perform pg_advisory_xact_lock(${TABLE_LOCK});
    create table if not exists webhook_events (
      delivery_id text primary key,
      event       text not null,
      action      text,
      payload     json not null,
      recorded_at timestamptz not null default clock_timestamp()
    );
  end if;
end $$`;

/**
 * Makes the table unless it is there. Any number of workers may call it at once.
 *
 * @throws DatabaseUnavailableError if it is not there and cannot be made
 */
export async function createEventTable(database: EventDatabase): Promise<void> {
  try {
    await database.query(CREATE_TABLE, []);
  } catch (error) {
    throw new DatabaseUnavailableError({
      code: 'DATABASE_REFUSED',
      message:
        `cannot create the table webhook_events in ${database.location}: ${errorFacts(error).message}. ` +
        'Grant its user the right to create tables, or create the table beforehand.',
      cause: error,
    });
  }
}
