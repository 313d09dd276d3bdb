import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentFailure } from '@spillway/work-queue';

export interface FileToKeep {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** No dot and no slash: an id from outside must not lead out of the folder. */
const SAFE_ID = /^[\w-]{1,100}$/;

const MAKING = '.making-';
/** Writing takes milliseconds: what is older was left by a process that was killed. */
const LEFTOVER_AFTER_MS = 60 * 60 * 1_000;

/** Keeps the files of each piece of work in a folder of its own, which is there as a whole or not at all. */
export class ThumbnailStore {
  private constructor(private readonly folder: string) {}

  /** Makes the folder, and removes what killed processes have left half written in it. */
  static async open(folder: string): Promise<ThumbnailStore> {
    await mkdir(folder, { recursive: true });
    for (const name of await readdir(folder)) {
      if (name.startsWith(MAKING)) await removeLeftover(join(folder, name));
    }
    return new ThumbnailStore(folder);
  }

  /**
   * Resolves when the files are in `<folder>/<id>`, by this call or an earlier one with the same id.
   * @throws PermanentFailure when the id is no name for a folder
   */
  async keep(id: string, files: readonly FileToKeep[]): Promise<void> {
    if (!SAFE_ID.test(id)) throw new PermanentFailure(`no folder can be named after the message id ${id}`);
    const making = join(this.folder, `${MAKING}${randomUUID()}`);
    await mkdir(making);
    try {
      for (const { name, bytes } of files) await writeFile(join(making, name), bytes, { flush: true });
      await rename(making, join(this.folder, id));
    } catch (error) {
      await rm(making, { recursive: true, force: true });
      if (!isThereAlready(error)) throw error;
    }
  }
}

async function removeLeftover(path: string): Promise<void> {
  const age = await stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  if (age > LEFTOVER_AFTER_MS) await rm(path, { recursive: true, force: true });
}

/** A folder cannot be renamed to one that has files; systems differ in how they say so. */
function isThereAlready(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  return error.code === 'ENOTEMPTY' || error.code === 'EEXIST';
}
