import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { until } from './until.js';

/** The database the worker of a system writes to: its embedded one. */
export async function databaseUrl(dataFolder: string): Promise<string> {
  const file: unknown = JSON.parse(await readFile(join(dataFolder, 'database.json'), 'utf8'));
  const url: unknown = typeof file === 'object' && file !== null ? Reflect.get(file, 'url') : undefined;
  if (typeof url !== 'string') throw new Error(`no url in ${dataFolder}/database.json`);
  return url;
}

/** The delivery ids that are rows, each as often as it is one. */
async function rowIds(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ delivery_id: string }>('select delivery_id from webhook_events');
    return rows.map((row) => row.delivery_id);
  } finally {
    await client.end();
  }
}

/** Resolves when every id is a row; fails with the missing ones. */
export async function allWritten(url: string, ids: readonly string[]): Promise<string[]> {
  let rows: string[] = [];
  await until(async () => {
    rows = await rowIds(url);
    const written = new Set(rows);
    const missing = ids.filter((id) => !written.has(id));
    return missing.length === 0
      ? undefined
      : `${missing.length} of ${ids.length} ids are no row: ${missing.slice(0, 5).join(', ')}`;
  });
  return rows;
}
