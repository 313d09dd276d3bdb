import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedDatabase } from './embedded.database.js';
import { processIdentity } from './process-identity.js';

/** Making a database takes about 4 s, more on a busy machine. */
const BOOT_TIMEOUT_MS = 60_000;

/** Opens the folder as a worker does, writes 100 rows, says so, and stays. */
const WRITER = `
  const { PGlite } = require(process.argv[1]);
  PGlite.create({ dataDir: process.argv[2] }).then(async (database) => {
    for (let n = 1; n <= 100; n += 1) await database.query('insert into kept values ($1)', [n]);
    process.stdout.write('written');
    setInterval(() => {}, 1e9);
  });`;

let dataDir: string;
let database: EmbeddedDatabase;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'spillway-embedded-'));
  // What a start leaves that was killed while it made the database.
  mkdirSync(join(dataDir, 'database.preparing-killed'));
  database = await EmbeddedDatabase.open(dataDir);
  await database.query('create table kept (n int)', []);
}, BOOT_TIMEOUT_MS);

afterAll(async () => {
  await database.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function countKept(): Promise<unknown> {
  return (await database.query('select count(*)::int as rows from kept', []))[0];
}

describe('EmbeddedDatabase', () => {
  it('leaves its address for as long as it is open', async () => {
    expect(readdirSync(dataDir).toSorted()).toEqual(['database', 'database.json', 'database.lock']);
    const address: unknown = JSON.parse(readFileSync(join(dataDir, 'database.json'), 'utf8'));
    expect(address).toEqual({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      pid: process.pid,
    });
  });

  it('refuses a second user of the folder, by name', async () => {
    await expect(EmbeddedDatabase.open(dataDir)).rejects.toMatchObject({
      code: 'DATABASE_IN_USE',
      message: expect.stringContaining(`${join(dataDir, 'database')} is in use by process ${process.pid},`),
    });
  });

  it('does not wait for a disk cache to say that a row is committed', async () => {
    await expect(database.query('show synchronous_commit', [])).resolves.toEqual([
      { synchronous_commit: 'on' },
    ]);
  });

  it('passes on what the database says with its code, and without the parameters', async () => {
    const error: unknown = await database
      .query('select $1::int', ['payload'])
      .catch((refused: unknown) => refused);
    expect(error).toMatchObject({ code: '22P02' });
    expect(error).not.toHaveProperty('params');
  });

  it('leaves statements under way their time when it closes, refuses later ones, and keeps the exit code', async () => {
    process.exitCode = 7;
    const underWay = database.query('insert into kept values (0) returning n', []);
    const closed = database.close();
    const late = database.query('select 1', []);
    await expect(underWay).resolves.toEqual([{ n: 0 }]);
    await expect(late).rejects.toMatchObject({ code: 'DATABASE_STOPPED' });
    await closed;
    expect(process.exitCode).toBe(7);
    process.exitCode = undefined;
    expect(readdirSync(dataDir)).toEqual(['database']);
  });

  it(
    'opens after kill -9 with every committed row',
    async () => {
      await database.close();
      const pglite = createRequire(import.meta.url).resolve('@electric-sql/pglite');
      const writer = spawn(process.execPath, ['-e', WRITER, pglite, join(dataDir, 'database')]);
      await once(writer.stdout, 'data');
      writeFileSync(join(dataDir, 'database.lock'), JSON.stringify(processIdentity(Number(writer.pid))));
      await expect(EmbeddedDatabase.open(dataDir)).rejects.toMatchObject({ code: 'DATABASE_IN_USE' });
      writer.kill('SIGKILL');
      await once(writer, 'exit');
      database = await EmbeddedDatabase.open(dataDir);
      await expect(countKept()).resolves.toEqual({ rows: 101 });
    },
    BOOT_TIMEOUT_MS,
  );

  it('is not shown any more once it is closed, and closing twice does no harm', async () => {
    await database.close();
    await database.close();
    expect(existsSync(join(dataDir, 'database.json'))).toBe(false);
  });
});

describe('a folder that cannot be used', () => {
  it('is named with the reason and the ways out', async () => {
    const file = join(dataDir, 'file');
    writeFileSync(file, '');
    await expect(EmbeddedDatabase.open(join(file, 'data'))).rejects.toMatchObject({
      code: 'DATABASE_FOLDER',
      message: expect.stringMatching(
        /cannot open the embedded database in .*file\/data: ENOTDIR.*SPILLWAY_DATA_DIR/,
      ),
    });
  });

  it(
    'is left alone if it holds no database we can read, and is not kept locked',
    async () => {
      const broken = join(dataDir, 'broken');
      mkdirSync(join(broken, 'database'), { recursive: true });
      writeFileSync(join(broken, 'database', 'PG_VERSION'), '9.6\n');
      await expect(EmbeddedDatabase.open(broken)).rejects.toMatchObject({ code: 'DATABASE_FOLDER' });
      expect(readdirSync(broken)).toEqual(['database']);
    },
    BOOT_TIMEOUT_MS,
  );
});
