import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { PostgresDatabase } from './postgres.database.js';

const SERVER_URL = process.env.DATABASE_URL ?? '';
const onServer = SERVER_URL ? describe : describe.skip;

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the server had no port');
  return address.port;
}

async function failureOf(url: string): Promise<unknown> {
  return PostgresDatabase.open({ url, poolSize: 1 }).then(
    () => 'opened',
    (error: unknown) => error,
  );
}

describe('PostgresDatabase without a server', () => {
  it.each(['127.0.0.1', 'localhost'])('says where nobody answers, why, and what to do (%s)', async (host) => {
    const port = await unusedPort();
    const error = await failureOf(`postgres://app:secret@${host}:${port}/events`);
    expect(error).toMatchObject({ name: 'DatabaseUnavailableError', code: 'DATABASE_UNREACHABLE' });
    expect(String(error)).toContain(`cannot use PostgreSQL at ${host}:${port}/events: `);
    expect(String(error)).toContain(`ECONNREFUSED`);
    expect(String(error)).toContain('correct DATABASE_URL');
    expect(String(error)).not.toContain('secret');
  });

  it('a URL that cannot be read is not repeated, since it holds a password', async () => {
    const error = await failureOf('postgres://app:secret@host:port/events');
    expect(error).toMatchObject({ code: 'DATABASE_UNREACHABLE' });
    expect(error).not.toHaveProperty('cause');
    expect(String(error)).toContain('cannot use DATABASE_URL: Invalid URL. Expected postgres://');
    expect(String(error)).not.toContain('secret');
  });
});

onServer('PostgresDatabase on a server (set DATABASE_URL to run)', () => {
  const opened: PostgresDatabase[] = [];

  async function open(): Promise<PostgresDatabase> {
    const database = await PostgresDatabase.open({ url: SERVER_URL, poolSize: 2 });
    opened.push(database);
    return database;
  }

  afterEach(async () => {
    jest.restoreAllMocks();
    await Promise.all(opened.splice(0).map((database) => database.close()));
  });

  it('a database that is not there is refused with the name of the setting', async () => {
    const url = new URL(SERVER_URL);
    url.pathname = '/no_such_database';
    const error = await failureOf(url.href);
    expect(error).toMatchObject({ code: 'DATABASE_REFUSED' });
    expect(String(error)).toContain('database "no_such_database" does not exist');
    expect(String(error)).toContain('database in DATABASE_URL');
  });

  it('names itself to the server and bounds every statement', async () => {
    const database = await open();
    const settings = `select current_setting('application_name') as name, current_setting('statement_timeout') as timeout`;
    await expect(database.query(settings, [])).resolves.toEqual([
      { name: 'spillway-events-worker', timeout: '30s' },
    ]);
  });

  it('passes on what the server says, with its code', async () => {
    const database = await open();
    await expect(database.query('select $1::int', ['x'])).rejects.toMatchObject({ code: '22P02' });
  });

  it('outlives an idle connection that the server ends', async () => {
    const [database, operator] = [await open(), await open()];
    const warned = new Promise<string>((resolve) => {
      jest.spyOn(Logger.prototype, 'warn').mockImplementation((message: unknown) => resolve(String(message)));
    });
    const [row] = await database.query<{ pid: number }>('select pg_backend_pid() as pid', []);
    await operator.query('select pg_terminate_backend($1)', [row?.pid ?? 0]);
    await expect(warned).resolves.toContain('lost an idle connection to PostgreSQL at');
    await expect(database.query('select 1 as one', [])).resolves.toEqual([{ one: 1 }]);
  });

  it('can be closed twice, and refuses queries afterwards', async () => {
    const database = await open();
    await database.close();
    await database.close();
    await expect(database.query('select 1', [])).rejects.toThrow('after calling end');
  });
});
