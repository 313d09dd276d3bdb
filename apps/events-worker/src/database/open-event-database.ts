import { EmbeddedDatabase } from './embedded/embedded.database.js';
import type { EventDatabase } from './event-database.js';
import { PostgresDatabase } from './postgres.database.js';

export interface DatabaseOptions {
  /** Undefined: the embedded database in `dataDir`. */
  readonly url: string | undefined;
  readonly dataDir: string;
  /** Statements at once at most: the worker's concurrency. The embedded database runs one at a time. */
  readonly poolSize: number;
}

/** @throws DatabaseUnavailableError */
export function openEventDatabase({ url, dataDir, poolSize }: DatabaseOptions): Promise<EventDatabase> {
  return url === undefined ? EmbeddedDatabase.open(dataDir) : PostgresDatabase.open({ url, poolSize });
}
