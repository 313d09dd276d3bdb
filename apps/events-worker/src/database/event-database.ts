export type QueryParameter = string | number | null;

/** A row as the database gives it; a type alias of named columns fits, an interface does not. */
export type Row = Record<string, unknown>;

/**
 * The SQL database that events are written to; a class, so that Nest can inject it by itself.
 *
 * One statement a call, each its own transaction: the embedded database has a single session, so a transaction
 * over several calls would take the statements of others into it.
 */
export abstract class EventDatabase {
  /** Where the rows go, without a password: for logs and messages. */
  abstract readonly location: string;

  /**
   * Resolves when the statement is committed.
   * Rejects with an error whose `code` is the SQLSTATE if the database refused the statement itself, and with any
   * other error if it could not be asked.
   */
  abstract query<Result extends Row>(
    sql: string,
    parameters: readonly QueryParameter[],
  ): Promise<readonly Result[]>;

  /** Waits for the statements under way, then gives everything back. Queries after it are refused. */
  abstract close(): Promise<void>;
}
