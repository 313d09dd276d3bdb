import { setImmediate as nextTurn } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { DatabaseUnavailableError } from '../database-unavailable.error.js';
import { errorFacts } from '../error-facts.js';

type State = { kind: 'running' } | { kind: 'closed' } | { kind: 'crashed'; cause: unknown };

const SQLSTATE = /^[0-9A-Z]{5}$/;

/**
 * PGlite with one piece of work at a time: running -> closed | crashed.
 *
 * PGlite itself loops for ever, and this process with it, if it is called after it was closed or crashed. Its own
 * queue lets that happen, so every use goes through the one here.
 */
export class EmbeddedEngine {
  private state: State = { kind: 'running' };
  private last: Promise<unknown> = Promise.resolve();

  static async open(folder: string): Promise<EmbeddedEngine> {
    // n.b. what a killed process had committed is there again; after a power failure it may not be, since PGlite
    // never asks the system to sync its files.
    const pglite = await keepingExitCode(() => PGlite.create({ dataDir: folder, relaxedDurability: false }));
    return new EmbeddedEngine(pglite);
  }

  private constructor(private readonly pglite: PGlite) {}

  /** Runs `work` after all that came before it. Nothing else may touch the engine. */
  run<Result>(work: (pglite: PGlite) => Promise<Result>): Promise<Result> {
    const result = this.last.then(() => this.runNow(work));
    this.last = result.catch(() => undefined);
    return result;
  }

  /** After the work that was there before; later work is refused. */
  async close(): Promise<void> {
    await this.last;
    if (this.state.kind !== 'running') return;
    this.state = { kind: 'closed' };
    await keepingExitCode(() => this.pglite.close());
  }

  private async runNow<Result>(work: (pglite: PGlite) => Promise<Result>): Promise<Result> {
    // PGlite never waits for anything outside, so a row of statements would leave sockets and heartbeats no turn.
    await nextTurn();
    if (this.state.kind !== 'running') throw stopped(this.state);
    try {
      return await work(this.pglite);
    } catch (error) {
      // What the database itself says has a SQLSTATE. All else comes from a runtime that is not to be trusted now.
      if (!SQLSTATE.test(errorFacts(error).code ?? '')) this.state = { kind: 'crashed', cause: error };
      throw error;
    }
  }
}

/** n.b. PGlite sets the exit code of this process: 0 when it closes, another when it cannot open. */
async function keepingExitCode<Result>(work: () => Promise<Result>): Promise<Result> {
  const { exitCode } = process;
  try {
    return await work();
  } finally {
    process.exitCode = exitCode;
  }
}

function stopped(state: Exclude<State, { kind: 'running' }>): DatabaseUnavailableError {
  if (state.kind === 'closed') {
    return new DatabaseUnavailableError({
      code: 'DATABASE_STOPPED',
      message: 'the embedded database is closed',
    });
  }
  const { message } = errorFacts(state.cause);
  return new DatabaseUnavailableError({
    code: 'DATABASE_STOPPED',
    message: `the embedded database crashed: ${message}. Start the worker again; committed events are safe.`,
    cause: state.cause,
  });
}
