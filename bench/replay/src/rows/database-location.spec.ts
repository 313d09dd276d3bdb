import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { locateDatabase } from './database-location.js';
import { PgRowStore } from './pg.row-store.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'replay-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (text: string) => writeFile(join(folder, 'database.json'), text);

test('DATABASE_URL wins over the file', async () => {
  await write('{"url":"http://file"}');
  const env = { DATABASE_URL: 'postgres://env', SPILLWAY_DATA_DIR: folder };
  await expect(locateDatabase(env)).resolves.toBe('postgres://env');
});

test('without it the events-worker’s file says where the embedded database listens', async () => {
  await write('{"url":"http://127.0.0.1:5999","pid":123}');
  await expect(locateDatabase({ DATABASE_URL: '', SPILLWAY_DATA_DIR: folder })).resolves.toBe(
    'http://127.0.0.1:5999',
  );
});

test('a missing file says what is missing and what to do', async () => {
  await expect(locateDatabase({ SPILLWAY_DATA_DIR: folder })).rejects.toThrow(
    /DATABASE_URL is not set and .*database\.json cannot be read: is the events-worker running\?/,
  );
});

test.each(['{"pid":1}', '{"ur', '', 'null'])('the file content %j is refused', async (text) => {
  await write(text);
  await expect(locateDatabase({ SPILLWAY_DATA_DIR: folder })).rejects.toThrow('expected JSON with a "url"');
});

test('a failed question is asked afresh at the place the database is by then', async () => {
  const located: string[] = [];
  const store = new PgRowStore(() => {
    located.push('asked');
    return Promise.reject(new Error('not there yet'));
  });
  await expect(store.findRows(['a'])).rejects.toThrow('not there yet');
  await expect(store.findRows(['a'])).rejects.toThrow('not there yet');
  expect(located).toHaveLength(2);
  await store.close();
});
