import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const PREPARING = 'database.preparing-';
const PREPARE_TIMEOUT_MS = 120_000;

/** n.b. CommonJS, since `node -e` takes it without further flags. */
const PREPARE = `
  const [, pglite, dataDir] = process.argv;
  require(pglite).PGlite.create({ dataDir }).then((database) => database.close()).then(
    () => process.exit(0),
    (error) => { process.stderr.write(String(error?.message ?? error)); process.exit(1); },
  );`;

/**
 * The folder of the embedded database, made if it is not there yet. To be called under the lock.
 *
 * It is made beside its place and then renamed: a start that is killed half-way leaves no half of a database.
 * It is made by a process of its own, since making it needs 500 MB that this process would keep.
 */
export async function prepareDatabaseFolder(dataDir: string): Promise<string> {
  const folder = join(dataDir, 'database');
  removeLeftovers(dataDir);
  if (existsSync(join(folder, 'PG_VERSION'))) return folder;
  const preparing = mkdtempSync(join(dataDir, PREPARING));
  await prepare(preparing);
  renameSync(preparing, folder);
  return folder;
}

function removeLeftovers(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    if (name.startsWith(PREPARING)) rmSync(join(dataDir, name), { recursive: true, force: true });
  }
}

function prepare(folder: string): Promise<void> {
  const pglite = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  return new Promise((resolve, reject) => {
    const args = ['-e', PREPARE, pglite, folder];
    const child = execFile(
      process.execPath,
      args,
      { timeout: PREPARE_TIMEOUT_MS },
      (error, _stdout, stderr) => {
        process.off('exit', stop);
        if (error)
          reject(new Error(stderr.trim() || `making ${folder} ended with ${error.signal ?? error.code}`));
        else resolve();
      },
    );
    // A start that fails for another reason must not leave it behind.
    const stop = (): void => void child.kill();
    process.once('exit', stop);
  });
}
