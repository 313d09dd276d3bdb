import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './until.js';

/** Where the worker of a system shows the rows of its embedded database. */
async function rowsUrl(dataFolder: string): Promise<string> {
  const file: unknown = JSON.parse(await readFile(join(dataFolder, 'database.json'), 'utf8'));
  const url: unknown = typeof file === 'object' && file !== null ? Reflect.get(file, 'url') : undefined;
  if (typeof url !== 'string') throw new Error(`no url in ${dataFolder}/database.json`);
  return url;
}

/**
 * Resolves when every id is a row, with how many rows there are; fails with the missing ids. The delivery id is the
 * table's key, so as many rows as ids means that each is one row and there is no other.
 */
export async function allWritten(dataFolder: string, ids: readonly string[]): Promise<number> {
  const url = await rowsUrl(dataFolder);
  await until(async () => {
    const written = new Set(await writtenIds(url, ids));
    const missing = ids.filter((id) => !written.has(id));
    if (missing.length === 0) return undefined;
    return `${missing.length} of ${ids.length} ids are no row: ${missing.slice(0, 5).join(', ')}`;
  });
  return Number(fieldOf(await (await fetch(url)).json(), 'total'));
}

async function writtenIds(url: string, ids: readonly string[]): Promise<unknown[]> {
  const written: unknown[] = [];
  for (let start = 0; start < ids.length; start += 1_000) {
    const body = JSON.stringify(ids.slice(start, start + 1_000));
    const rows: unknown = await (await fetch(url, { method: 'POST', body })).json();
    if (Array.isArray(rows)) written.push(...rows.map((row: unknown) => fieldOf(row, 'deliveryId')));
  }
  return written;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
