import { locateDatabase } from './database-location.js';
import { HttpRowStore } from './http.row-store.js';
import { PgRowStore } from './pg.row-store.js';
import type { RowStore } from './row-store.port.js';

/** The server of DATABASE_URL, or else the rows that the events-worker's embedded database shows. */
export function openRowStore(env: Readonly<Record<string, string | undefined>>): RowStore {
  const locate = (): Promise<string> => locateDatabase(env);
  return env.DATABASE_URL ? new PgRowStore(locate) : new HttpRowStore(locate);
}
