import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { DatabaseUnavailableError } from '../database-unavailable.error.js';
import { errorFacts } from '../error-facts.js';
import { EventDatabase, type QueryParameter, type Row } from '../event-database.js';
import { PostgresDatabase } from '../postgres.database.js';
import { AddressFile } from './address-file.js';
import { prepareDatabaseFolder } from './database-folder.js';
import { FolderLock } from './folder-lock.js';

/** The engine runs one statement at a time; more sessions of ours would only wait in another place. */
const OWN_SESSIONS = 4;
/** For psql and `npm run replay`. */
const GUEST_SESSIONS = 4;

interface Parts {
  readonly location: string;
  readonly lock: FolderLock;
  readonly addressFile: AddressFile;
  readonly engine: PGlite;
  readonly server: PGLiteSocketServer;
  readonly sessions: PostgresDatabase;
}

/**
 * PostgreSQL inside this process, kept in `<dataDir>/database`: for trying things out without a server. While it is
 * open, other processes reach it at the address in `<dataDir>/database.json`.
 *
 * Our own statements go through the same socket server. It gives each session its transactions; called directly, the
 * one session of the engine would take our rows into the transaction a guest left open, and roll them back with it.
 */
export class EmbeddedDatabase extends EventDatabase {
  /** @throws DatabaseUnavailableError */
  static async open(dataDir: string): Promise<EmbeddedDatabase> {
    const dataFolder = resolve(dataDir);
    const lock = lockFolder(dataFolder);
    try {
      return new EmbeddedDatabase(await openParts(dataFolder, lock));
    } catch (error) {
      lock.release();
      throw unusable(dataFolder, error);
    }
  }

  private closing: Promise<void> | undefined;

  private constructor(private readonly parts: Parts) {
    super();
  }

  get location(): string {
    return this.parts.location;
  }

  query<Result extends Row>(sql: string, parameters: readonly QueryParameter[]): Promise<readonly Result[]> {
    return this.parts.sessions.query(sql, parameters);
  }

  close(): Promise<void> {
    this.closing ??= this.closeOnce();
    return this.closing;
  }

  private async closeOnce(): Promise<void> {
    const { addressFile, sessions, server, engine, lock } = this.parts;
    addressFile.remove();
    await sessions.close();
    await server.stop();
    // n.b. PGlite sets the exit code of this process to 0.
    const { exitCode } = process;
    await engine.close();
    process.exitCode = exitCode;
    lock.release();
  }
}

async function openParts(dataFolder: string, lock: FolderLock): Promise<Parts> {
  const folder = await prepareDatabaseFolder(dataFolder);
  // n.b. what a killed process had committed is there again; after a power failure it may not be, since PGlite
  // never asks the system to sync its files.
  const engine = await PGlite.create({ dataDir: folder, relaxedDurability: false });
  const maxConnections = OWN_SESSIONS + GUEST_SESSIONS;
  const server = new PGLiteSocketServer({ db: engine, host: '127.0.0.1', port: 0, maxConnections });
  await server.start();
  // The server speaks no TLS, and a client that asks for it first is hung up on.
  const url = `postgres://postgres@${server.getServerConn()}/postgres?sslmode=disable`;
  const sessions = await PostgresDatabase.open({ url, poolSize: OWN_SESSIONS });
  const addressFile = new AddressFile(dataFolder);
  addressFile.write(url);
  return { location: `the embedded database in ${folder}`, lock, addressFile, engine, server, sessions };
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
