import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseUnavailableError } from '../database-unavailable.error.js';
import { errorFacts } from '../error-facts.js';
import { EventDatabase, type QueryParameter, type Row } from '../event-database.js';
import { AddressFile } from './address-file.js';
import { prepareDatabaseFolder } from './database-folder.js';
import { EmbeddedEngine } from './embedded-engine.js';
import { FolderLock } from './folder-lock.js';
import { RowsServer } from './rows.server.js';

interface Parts {
  location: string;
  lock: FolderLock;
  engine: EmbeddedEngine;
  server: RowsServer;
  addressFile: AddressFile;
}

/**
 * PostgreSQL inside this process, kept in `<dataDir>/database`: for trying things out without a server.
 * While it is open, its rows can be read at the address in `<dataDir>/database.json`.
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
      const server = await RowsServer.listen((sql, parameters) => runStatement(engine, sql, parameters));
      const addressFile = new AddressFile(dataFolder);
      addressFile.write(server.url);
      const location = `the embedded database in ${folder}`;
      return new EmbeddedDatabase({ location, lock, engine, server, addressFile });
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

  query<Result extends Row>(sql: string, parameters: readonly QueryParameter[]): Promise<readonly Result[]> {
    return runStatement<Result>(this.parts.engine, sql, parameters);
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

function runStatement<Result extends Row>(
  engine: EmbeddedEngine,
  sql: string,
  parameters: readonly QueryParameter[],
): Promise<readonly Result[]> {
  return engine.run(async (pglite) => {
    try {
      return (await pglite.query<Result>(sql, [...parameters])).rows;
    } catch (error) {
      // PGlite hangs the parameters on its errors: a payload must not get into a log.
      if (typeof error === 'object' && error !== null) Reflect.deleteProperty(error, 'params');
      throw error;
    }
  });
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
