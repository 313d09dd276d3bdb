import pg from 'pg';

import type { RowStore, WrittenRow } from './row-store.port.js';

const CONNECT_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 10_000;

const FIND_ROWS = `
  select delivery_id as "deliveryId", (extract(epoch from recorded_at) * 1000)::float8 as "recordedAtEpochMs"
  from webhook_events where delivery_id = any($1::text[])`;

/**
 * One client, one query at a time.
 * A failed query drops the client, so that the next one connects again, to wherever the database is by then.
 */
export class PgRowStore implements RowStore {
  private client: pg.Client | undefined;

  constructor(private readonly locate: () => Promise<string>) {}

  async findRows(deliveryIds: readonly string[]): Promise<WrittenRow[]> {
    try {
      this.client ??= await this.connect();
      return (await this.client.query<WrittenRow>(FIND_ROWS, [deliveryIds])).rows;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    await client?.end();
  }

  private async connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: await this.locate(),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      application_name: 'spillway-replay',
    });
    // n.b. an idle client whose server goes away emits 'error'; the next query reports it.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }
}
