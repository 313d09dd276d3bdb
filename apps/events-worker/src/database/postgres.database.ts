import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Client, Pool } from 'pg';
import { DatabaseUnavailableError } from './database-unavailable.error.js';
import { errorFacts } from './error-facts.js';
import { EventDatabase, type QueryParameter, type Row } from './event-database.js';

export interface PostgresOptions {
  readonly url: string;
  /**
   * Connections at most: the worker's concurrency. Fewer: handlers wait for each other; more are never used.
   */
  readonly poolSize: number;
}

/** An unreachable server is reported within this time instead of the system's minutes. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A row takes milliseconds; a statement this old waits for a lock that somebody forgot. */
const STATEMENT_TIMEOUT_MS = 30_000;
/** For a server that fell silent, which no longer enforces its own timeout. Must be the longer one. */
const QUERY_TIMEOUT_MS = 35_000;

const CLOSE_TIMEOUT_MS = 2_000;

/** SQLSTATE classes with which a server that we reached shows us the door: the settings are wrong, not the network. */
const REFUSALS = /^(28...|3D000|42501)$/;

/** A PostgreSQL server, through a pool of connections. */
export class PostgresDatabase extends EventDatabase {
  private readonly logger = new Logger('PostgresDatabase');
  private readonly pool: Pool;

  /** @throws DatabaseUnavailableError unless a statement could be run */
  static async open(options: PostgresOptions): Promise<PostgresDatabase> {
    const database = new PostgresDatabase(options, locationOf(options.url));
    try {
      await database.query('select 1', []);
      return database;
    } catch (error) {
      await database.close();
      throw unavailable(database.location, error);
    }
  }

  private constructor(
    { url, poolSize }: PostgresOptions,
    readonly location: string,
  ) {
    super();
    this.pool = new Pool({
      connectionString: url,
      max: poolSize,
      application_name: 'spillway-events-worker',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      keepAlive: true,
    });
    // n.b. without a listener, a server that closes an idle connection ends this process. The pool replaces it.
    this.pool.on('error', (error) => {
      this.logger.warn(`lost an idle connection to ${this.location}: ${errorFacts(error).message}`);
    });
  }

  async query<Result extends Row>(
    sql: string,
    parameters: readonly QueryParameter[],
  ): Promise<readonly Result[]> {
    return (await this.pool.query<Result>(sql, [...parameters])).rows;
  }

  async close(): Promise<void> {
    if (this.pool.ending) return;
    // Handlers have finished by now; a statement that still waits for a lock must not keep the process.
    const timer = new AbortController();
    const late = delay(CLOSE_TIMEOUT_MS, undefined, { signal: timer.signal, ref: false }).catch(
      () => undefined,
    );
    await Promise.race([this.pool.end(), late]);
    timer.abort();
  }
}

/** As the driver understands the URL, PGHOST and its kin included. */
function locationOf(url: string): string {
  try {
    const { host, port, database } = new Client({ connectionString: url });
    return `PostgreSQL at ${host}:${port}/${database ?? ''}`;
  } catch (error) {
    // The error itself is left out: it carries the URL, and with it the password, which may not reach a log.
    throw new DatabaseUnavailableError({
      code: 'DATABASE_UNREACHABLE',
      message:
        `cannot use DATABASE_URL: ${errorFacts(error).message}. ` +
        'Expected postgres://user:password@host:5432/database, with %40 for an @ in the password and the like.',
    });
  }
}

function unavailable(location: string, error: unknown): DatabaseUnavailableError {
  const { code = '', message } = errorFacts(error);
  const isRefusal = REFUSALS.test(code);
  const advice = isRefusal
    ? 'Correct the user, password or database in DATABASE_URL.'
    : 'Start it or correct DATABASE_URL; without DATABASE_URL, events go to an embedded database.';
  return new DatabaseUnavailableError({
    code: isRefusal ? 'DATABASE_REFUSED' : 'DATABASE_UNREACHABLE',
    message: `cannot use ${location}: ${message}. ${advice}`,
    cause: error,
  });
}
