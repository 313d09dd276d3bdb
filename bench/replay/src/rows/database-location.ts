import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * DATABASE_URL, or the address the events-worker leaves in `database.json` of its data folder when it runs
 * the embedded database. Read afresh at every call: a restarted worker has another port.
 */
export async function locateDatabase(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  if (env.DATABASE_URL !== undefined && env.DATABASE_URL !== '') return env.DATABASE_URL;
  const file = join(env.SPILLWAY_DATA_DIR ?? '.spillway', 'database.json');
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Error(`DATABASE_URL is not set and ${file} cannot be read: is the events-worker running?`, {
      cause,
    });
  });
  return urlIn(text, file);
}

function urlIn(text: string, file: string): string {
  try {
    const content: unknown = JSON.parse(text);
    if (
      typeof content === 'object' &&
      content !== null &&
      'url' in content &&
      typeof content.url === 'string'
    ) {
      return content.url;
    }
  } catch {
    // A half-written file gets the same answer as one without a url.
  }
  throw new Error(`${file}: expected JSON with a "url", given ${text.slice(0, 80)}`);
}
