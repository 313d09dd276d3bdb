import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseUnavailableError } from '../database-unavailable.error.js';
import { errorFacts } from '../error-facts.js';
import { isRunning, type ProcessIdentity, processIdentity, readIdentity } from './process-identity.js';

/**
 * One process at a time: PGlite does not lock its folder, and two of them on one folder destroy it.
 *
 * A lock file that names its owner; it counts only while that very process runs, so that one left by SIGKILL does not
 * block the next start. Processes of different containers cannot see each other: they must not share the folder.
 */
export class FolderLock {
  /** @throws DatabaseUnavailableError naming the owner, if there is one */
  static acquire(dataDir: string): FolderLock {
    const path = join(dataDir, 'database.lock');
    if (create(path)) return new FolderLock(path);
    const text = readText(path);
    const owner = readIdentity(text);
    if (owner && isRunning(owner)) throw inUse(dataDir, owner);
    setAside(path, text);
    // Whoever started at the same moment may have been quicker.
    if (!create(path)) throw inUse(dataDir, readIdentity(readText(path)));
    return new FolderLock(path);
  }

  private constructor(private readonly path: string) {}

  release(): void {
    rmSync(this.path, { force: true });
  }
}

function create(path: string): boolean {
  try {
    writeFileSync(path, JSON.stringify(processIdentity(process.pid)), { flag: 'wx' });
    return true;
  } catch (error) {
    if (errorFacts(error).code === 'EEXIST') return false;
    throw error;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Released in between.
    return '';
  }
}

/**
 * Removes the stale lock, unless another process has done so and made its own: renaming takes exactly one file, and what
 * was taken can be looked at.
 */
function setAside(path: string, staleText: string): void {
  const aside = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (errorFacts(error).code === 'ENOENT') return;
    throw error;
  }
  if (readText(aside) === staleText) rmSync(aside, { force: true });
  else renameSync(aside, path);
}

function inUse(dataDir: string, owner: ProcessIdentity | undefined): DatabaseUnavailableError {
  const who = owner ? `process ${owner.pid}` : 'another process';
  return new DatabaseUnavailableError({
    code: 'DATABASE_IN_USE',
    message:
      `the embedded database in ${join(dataDir, 'database')} is in use by ${who}, and takes one process at a time. ` +
      'Stop that worker, choose another SPILLWAY_DATA_DIR, or set DATABASE_URL to run several workers.',
  });
}
