import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { DatabaseModule } from '../database/database.module.js';
import { EventDatabase } from '../database/event-database.js';
import { type DatabaseOptions, openEventDatabase } from '../database/open-event-database.js';
import { EventStore } from './event.store.js';
import { createEventTable } from './event.table.js';
import { isPermanentDatabaseError } from './permanent-database-error.js';

interface TestDatabase {
  options: DatabaseOptions;
  remove(): Promise<void>;
}

const MIB = 1024 * 1024;

function describeEventStore(given: () => Promise<TestDatabase>): void {
  let test: TestDatabase;
  let application: INestApplicationContext;
  let database: EventDatabase;
  let store: EventStore;

  beforeAll(async () => {
    test = await given();
    application = await NestFactory.createApplicationContext(DatabaseModule.forRoot(test.options), {
      logger: false,
      abortOnError: false,
    });
    database = application.get(EventDatabase);
    store = application.get(EventStore);
  }, 60_000);

  afterAll(() => test.remove());

  function record(deliveryId: string, body: string | Uint8Array, action?: string) {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    return store.record({ deliveryId, event: 'push', action, body: bytes });
  }

  function find(deliveryId: string): Promise<readonly Record<string, unknown>[]> {
    const sql = 'select event, action, payload::text as payload from webhook_events where delivery_id = $1';
    return database.query(sql, [deliveryId]);
  }

  it('writes an event', async () => {
    await expect(record('one', '{"a":1}', 'opened')).resolves.toBe('written');
    await expect(find('one')).resolves.toEqual([{ event: 'push', action: 'opened', payload: '{"a":1}' }]);
  });

  it('an event without an action has none', async () => {
    await record('no-action', '{}');
    await expect(find('no-action')).resolves.toMatchObject([{ action: null }]);
  });

  it('a redelivery changes nothing, whatever it holds', async () => {
    await record('twice', '{"first":true}');
    await expect(record('twice', '{"first":false}', 'edited')).resolves.toBe('already-there');
    await expect(find('twice')).resolves.toEqual([
      { event: 'push', action: null, payload: '{"first":true}' },
    ]);
  });

  it('of several deliveries at once, one is written', async () => {
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => record('at-once', '{}')));
    expect(outcomes.filter((outcome) => outcome === 'written')).toHaveLength(1);
    await expect(find('at-once')).resolves.toHaveLength(1);
  });

  it('knows when it wrote', async () => {
    await record('when', '{}');
    const age = 'select extract(epoch from clock_timestamp() - recorded_at)::float8 as age_seconds';
    const [row] = await database.query<{ age_seconds: number }>(
      `${age} from webhook_events where delivery_id = $1`,
      ['when'],
    );
    expect(row?.age_seconds).toBeGreaterThan(0);
    expect(row?.age_seconds).toBeLessThan(60);
  });

  it.each([
    ['the character 0', '{"a":"\\u0000"}'],
    ['half of a surrogate pair', '{"a":"\\ud800"}'],
    ['a number beyond every number', '{"a":1e400}'],
    ['digits beyond a double', '{"a":0.1000000000000000055511151231257827021181583404541015625}'],
    ['a key twice', '{"a":1,"a":2}'],
    ['spaces and line ends', ' {\n\t"a" : 1 }\r\n'],
    ['letters of the world', '{"a":"żółć 漢字 🚰"}'],
    ['a lone value', 'null'],
    ['1,000 levels', '['.repeat(1_000) + ']'.repeat(1_000)],
  ])('keeps JSON with %s character for character', async (name, payload) => {
    await expect(record(name, payload)).resolves.toBe('written');
    await expect(find(name)).resolves.toMatchObject([{ payload }]);
  });

  it('keeps 15 MiB, the largest body there can be', async () => {
    const payload = JSON.stringify({ text: 'x'.repeat(15 * MIB) });
    await expect(record('large', payload)).resolves.toBe('written');
    const sql = 'select length(payload::text) as length from webhook_events where delivery_id = $1';
    await expect(database.query(sql, ['large'])).resolves.toEqual([{ length: payload.length }]);
  }, 30_000);

  it.each([
    ['text that is not JSON', '{"a":'],
    ['an empty body', ''],
    ['the character 0 as it is', '{"a":"\u0000"}'],
    ['a byte order mark', '\uFEFF{}'],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
  ])('%s can never be written, and leaves the store well', async (name, body) => {
    const error: unknown = await record(name, body).catch((refused: unknown) => refused);
    expect(error).toBeInstanceOf(Error);
    expect(isPermanentDatabaseError(error)).toBe(true);
    await expect(find(name)).resolves.toEqual([]);
    await expect(record(`after ${name}`, '{}')).resolves.toBe('written');
  });

  it('never takes JSON 100,000 levels deep for written, and is well afterwards', async () => {
    await expect(record('deep', '['.repeat(100_000) + ']'.repeat(100_000))).rejects.toThrow(
      /did not say|stack depth/,
    );
    await expect(find('deep')).resolves.toEqual([]);
    await expect(record('after deep', '{}')).resolves.toBe('written');
  });

  it('a missing table is for somebody to repair, not the fault of the event', async () => {
    await database.query('alter table webhook_events rename to elsewhere', []);
    const error: unknown = await record('later', '{}').catch((refused: unknown) => refused);
    await database.query('alter table elsewhere rename to webhook_events', []);
    expect(error).toMatchObject({ code: '42P01' });
    expect(isPermanentDatabaseError(error)).toBe(false);
    await expect(record('later', '{}')).resolves.toBe('written');
  });

  it('making the table again leaves its rows', async () => {
    await record('kept', '{}');
    await createEventTable(database);
    await expect(find('kept')).resolves.toHaveLength(1);
  });

  it('ends with the application', async () => {
    await application.close();
    await expect(record('too late', '{}')).rejects.toThrow(/is closed|after calling end/);
  });
}

describe('EventStore on the embedded database', () => {
  describeEventStore(() => {
    const dataDir = mkdtempSync(join(tmpdir(), 'spillway-store-'));
    return Promise.resolve({
      options: { url: undefined, dataDir, poolSize: 4 },
      remove: () => Promise.resolve(rmSync(dataDir, { recursive: true, force: true })),
    });
  });
});

const SERVER_URL = process.env.DATABASE_URL ?? '';
const onServer = SERVER_URL ? describe : describe.skip;

/** A schema of the test's own: its tables cannot meet those of others on the server. */
async function createSchema(): Promise<TestDatabase> {
  const pool = new Pool({ connectionString: SERVER_URL, max: 1 });
  const schema = `spillway_test_${process.pid}_${Date.now()}`;
  await pool.query(`create schema ${schema}`);
  const url = new URL(SERVER_URL);
  url.searchParams.set('options', `-c search_path=${schema}`);
  return {
    options: { url: url.href, dataDir: '', poolSize: 4 },
    remove: async () => {
      await pool.query(`drop schema ${schema} cascade`);
      await pool.end();
    },
  };
}

onServer('EventStore on a PostgreSQL server (set DATABASE_URL to run)', () => {
  describeEventStore(createSchema);

  it('workers that start at once agree on one table', async () => {
    const test = await createSchema();
    const databases = await Promise.all(Array.from({ length: 8 }, () => openEventDatabase(test.options)));
    await expect(Promise.all(databases.map(createEventTable))).resolves.toHaveLength(8);
    await Promise.all(databases.map((database) => database.close()));
    await test.remove();
  });
});
