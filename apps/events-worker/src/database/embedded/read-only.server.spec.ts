import type { PGlite } from '@electric-sql/pglite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { prepareDatabaseFolder } from './database-folder.js';
import { EmbeddedEngine } from './embedded-engine.js';
import { ReadOnlyServer } from './read-only.server.js';

let dataDir: string;
let engine: EmbeddedEngine;
let server: ReadOnlyServer;
const guests: Client[] = [];

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'spillway-server-'));
  engine = await EmbeddedEngine.open(await prepareDatabaseFolder(dataDir));
  server = await ReadOnlyServer.listen(engine);
  await asWorker('create table rows (n int)');
}, 60_000);

beforeEach(async () => {
  await asWorker('truncate rows');
});

afterEach(async () => {
  await Promise.all(guests.splice(0).map((guest) => guest.end()));
});

afterAll(async () => {
  await server.close();
  await engine.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function asWorker(sql: string): Promise<unknown[]> {
  return engine.run(async (pglite) => (await pglite.query(sql)).rows);
}

async function asGuest(): Promise<Client> {
  const guest = new Client({ connectionString: `postgres://postgres@127.0.0.1:${server.port}/postgres` });
  // The server ends some of these connections.
  guest.on('error', () => undefined);
  await guest.connect();
  guests.push(guest);
  return guest;
}

describe('ReadOnlyServer', () => {
  it('answers queries with and without parameters, and goes on after errors', async () => {
    const guest = await asGuest();
    await expect(guest.query('select 1 as one; select 2 as two')).resolves.toHaveLength(2);
    await expect(guest.query('select $1::text as text', ['x'])).resolves.toMatchObject({
      rows: [{ text: 'x' }],
    });
    await expect(guest.query('select nothing')).rejects.toMatchObject({ code: '42703' });
    await expect(guest.query('select $1::int', ['x'])).rejects.toMatchObject({ code: '22P02' });
    await expect(guest.query('select 1 as one')).resolves.toMatchObject({ rows: [{ one: 1 }] });
  });

  it('tells psql, which asks first, that there is no encryption', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(Buffer.from('0000000804d2162f', 'hex'));
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toBe('N');
    socket.destroy();
  });

  it('keeps guests apart from each other and from the worker, all at once', async () => {
    const numbers = Array.from({ length: 50 }, (_, n) => n);
    const echo = async (guest: Client): Promise<unknown[]> => {
      const echoed: unknown[] = [];
      for (const n of numbers) {
        echoed.push(
          (await guest.query<{ n: number }>('select $1::int as n, count(*) from rows', [n])).rows[0]?.n,
        );
      }
      return echoed;
    };
    const guests = [echo(await asGuest()), echo(await asGuest())];
    const written = numbers.map((n) => asWorker(`insert into rows values (${n})`));
    await expect(Promise.all(guests)).resolves.toEqual([numbers, numbers]);
    await Promise.all(written);
    await expect(asWorker('select count(*)::int as rows from rows')).resolves.toEqual([{ rows: 50 }]);
  });

  it('guests get their turn while the worker writes without a pause', async () => {
    const guest = await asGuest();
    let isAnswered = false;
    const write = async (): Promise<void> => {
      while (!isAnswered) await asWorker('insert into rows values (1)');
    };
    const writing = Promise.all([write(), write()]);
    await expect(guest.query('select 1 as one')).resolves.toMatchObject({ rows: [{ one: 1 }] });
    isAnswered = true;
    await writing;
  });

  it.each([
    'insert into rows values (1)',
    'drop table rows',
    'create table mine (n int)',
    // It would end PGlite, and the worker with it.
    'copy rows from stdin',
  ])('lets nobody write: %s', async (sql) => {
    const guest = await asGuest();
    await expect(guest.query(sql)).rejects.toMatchObject({ code: '25006' });
  });

  it("no rollback of a guest takes the worker's rows away", async () => {
    const guest = await asGuest();
    await expect(guest.query('begin')).rejects.toMatchObject({
      code: '0A000',
      message: 'the embedded database takes one statement at a time, not a transaction',
    });
    await asWorker('insert into rows values (1)');
    await guest.query('rollback');
    await expect(asWorker('select n from rows')).resolves.toEqual([{ n: 1 }]);
  });

  it('a transaction within one message is fine', async () => {
    const guest = await asGuest();
    await expect(guest.query('begin; select 1; commit')).resolves.toHaveLength(3);
  });

  it('nothing a guest sets reaches the worker', async () => {
    const guest = await asGuest();
    await guest.query('set search_path = nowhere');
    await guest.query('set default_transaction_read_only = on');
    await asWorker('insert into rows values (1)');
    await expect(asWorker('select n from rows')).resolves.toEqual([{ n: 1 }]);
  });

  it('a statement that overflows the stack is an error for the guest, and nothing for the worker', async () => {
    const guest = await asGuest();
    await expect(guest.query(`select repeat('[', 100000)::json`)).rejects.toMatchObject({ code: 'XX000' });
    await asWorker('insert into rows values (1)');
    await expect(guest.query('select n from rows')).resolves.toMatchObject({ rows: [{ n: 1 }] });
  });

  it('an answer too large for the memory of the worker is refused', async () => {
    const guest = await asGuest();
    const large = `select repeat('x', 1000000) from generate_series(1, 70)`;
    await expect(guest.query(large)).rejects.toMatchObject({ code: '54000' });
    await expect(guest.query('select 1 as one')).resolves.toMatchObject({ rows: [{ one: 1 }] });
  });

  it('a client that does not speak the protocol is cut off', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await once(socket, 'close');
    await expect((await asGuest()).query('select 1 as one')).resolves.toMatchObject({ rows: [{ one: 1 }] });
  });
});

it('an engine that crashed is not used again, since PGlite would hang', async () => {
  const aborted = new Error('Aborted()');
  const pglites: PGlite[] = [];
  const crash = engine.run((pglite) => {
    pglites.push(pglite);
    return Promise.reject(aborted);
  });
  await expect(crash).rejects.toBe(aborted);
  await expect(engine.run((pglite) => pglite.query('select 1'))).rejects.toMatchObject({
    code: 'DATABASE_STOPPED',
    message: 'the embedded database crashed: Aborted(). Start the worker again; committed events are safe.',
    cause: aborted,
  });
  // This one is well, and has timers that keep a process alive.
  await Promise.all(pglites.map((pglite) => pglite.close()));
});
