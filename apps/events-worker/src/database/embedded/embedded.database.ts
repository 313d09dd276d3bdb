import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseUnavailableError } from '../database-unavailable.error.js';
import { errorFacts } from '../error-facts.js';
import { EventDatabase, type QueryParameter, type Row } from '../event-database.js';
import { AddressFile } from './address-file.js';
import { prepareDatabaseFolder } from './database-folder.js';
import { EmbeddedEngine } from './embedded-engine.js';
import { FolderLock } from './folder-lock.js';
import { jsonNesting } from './json-nesting.js';
import { NestingLimitError } from './nesting-limit.error.js';
import { ReadOnlyServer } from './read-only.server.js';

/**
 * PGlite reads JSON on Node's stack, and when that is full it answers as if there had been nothing to do: no row, no
 * error. Measured with Node's default stack: arrays from 5,700 levels on. Real events have fewer than 20.
 */
const MAX_JSON_NESTING = 2_000;

interface Parts {
  location: string;
  lock: FolderLock;
  engine: EmbeddedEngine;
  server: ReadOnlyServer;
  addressFile: AddressFile;
}

/**
 * PostgreSQL inside this process, kept in `<dataDir>/database`: for trying things out without a server.
 * While it is open, other processes can read it at the address in `<dataDir>/database.json`.
 */
export class EmbeddedDatabase extends EventDatabase {
  private closed: Promise<void> | undefined;

  /** @throws DatabaseUnavailableError */
  static async open(dataDir: string): Promise<EmbeddedDatabase> {
    const dataFolder = resolve(dataDir);
    const lock = lockFolder(dataFolder);
    try {
      const folder = await prepareDatabaseFolder(dataFolder);
      const engine = await EmbeddedEngine.open(folder);
      const server = await ReadOnlyServer.listen(engine);
      const addressFile = new AddressFile(dataFolder);
      addressFile.write(server.port);
      return new EmbeddedDatabase({
        location: `the embedded database in ${folder}`,
        lock,
        engine,
        server,
        addressFile,
      });
    } catch (error) {
      lock.release();
      throw unusable(dataFolder, error);
    }
  }

  private constructor(private readonly parts: Parts) {
    super();
  }

  get location(): string {
    return this.parts.location;
  }

  async query<Result extends Row>(
    sql: string,
    parameters: readonly QueryParameter[],
  ): Promise<readonly Result[]> {
    parameters.forEach(refuseDeepNesting);
    return this.parts.engine.run(async (pglite) => {
      try {
        return (await pglite.query<Result>(sql, [...parameters])).rows;
      } catch (error) {
        // PGlite hangs the parameters on its errors: a payload must not get into a log.
        if (typeof error === 'object' && error !== null) Reflect.deleteProperty(error, 'params');
        throw error;
      }
    });
  }

  close(): Promise<void> {
    // A second close must not release the lock of whoever came after the first.
    this.closed ??= this.closeParts();
    return this.closed;
  }

  private async closeParts(): Promise<void> {
    const { addressFile, server, engine, lock } = this.parts;
    addressFile.remove();
    await Promise.all([server.close(), engine.close()]);
    lock.release();
  }
}

function lockFolder(dataFolder: string): FolderLock {
  try {
    mkdirSync(dataFolder, { recursive: true });
    return FolderLock.acquire(dataFolder);
  } catch (error) {
    throw unusable(dataFolder, error);
  }
}

function unusable(dataFolder: string, error: unknown): DatabaseUnavailableError {
  if (error instanceof DatabaseUnavailableError) return error;
  return new DatabaseUnavailableError({
    code: 'DATABASE_FOLDER',
    message:
      `cannot open the embedded database in ${dataFolder}: ${errorFacts(error).message}. ` +
      'Make the folder writable, move it away to start empty, choose another with SPILLWAY_DATA_DIR, or set DATABASE_URL.',
    cause: error,
  });
}

function refuseDeepNesting(parameter: QueryParameter): void {
  if (typeof parameter !== 'string') return;
  const levels = jsonNesting(parameter);
  if (levels > MAX_JSON_NESTING) {
    throw new NestingLimitError(
      `expected JSON nested at most ${MAX_JSON_NESTING} levels deep, got: ${levels}`,
    );
  }
}
