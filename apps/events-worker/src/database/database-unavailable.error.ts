/**
 * - `DATABASE_UNREACHABLE`: no PostgreSQL answers at DATABASE_URL.
 * - `DATABASE_REFUSED`: it answers, and does not let us in or do what we need.
 * - `DATABASE_IN_USE`: another process has the embedded database open.
 * - `DATABASE_FOLDER`: the folder of the embedded database cannot be written or read.
 * - `DATABASE_STOPPED`: the embedded database crashed or was closed.
 */
export type DatabaseUnavailableCode =
  'DATABASE_UNREACHABLE' | 'DATABASE_REFUSED' | 'DATABASE_IN_USE' | 'DATABASE_FOLDER' | 'DATABASE_STOPPED';

interface DatabaseUnavailable {
  code: DatabaseUnavailableCode;
  /** What happened, where, and what to do: it is shown to people without a stack. */
  message: string;
  cause?: unknown;
}

/** There is no database to write to. Never a fault of the event: trying again can help. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';
  readonly code: DatabaseUnavailableCode;

  constructor({ code, message, cause }: DatabaseUnavailable) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
