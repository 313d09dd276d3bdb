import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseUnavailableError } from '../database-unavailable.error.js';
import { FolderLock } from './folder-lock.js';
import { processIdentity } from './process-identity.js';

let folder: string;
let path: string;
let other: ChildProcess;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-lock-'));
  path = join(folder, 'database.lock');
  other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e9)'], { stdio: 'ignore' });
  await once(other, 'spawn');
});

afterEach(async () => {
  await kill(other);
  rmSync(folder, { recursive: true, force: true });
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function leaveLockOf(owner: object): void {
  writeFileSync(path, JSON.stringify(owner));
}

function ownerOnDisk(): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function refusal(): unknown {
  try {
    FolderLock.acquire(folder);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('FolderLock', () => {
  it('is taken, names this process, and is given back', () => {
    const lock = FolderLock.acquire(folder);
    expect(ownerOnDisk()).toEqual(processIdentity(process.pid));
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
    FolderLock.acquire(folder);
  });

  it('refuses while the owner runs, naming it, the folder and the way out', () => {
    const pid = Number(other.pid);
    leaveLockOf(processIdentity(pid));
    const error = refusal();
    expect(error).toBeInstanceOf(DatabaseUnavailableError);
    expect(error).toMatchObject({ code: 'DATABASE_IN_USE' });
    expect(String(error)).toContain(`${join(folder, 'database')} is in use by process ${pid},`);
    expect(String(error)).toContain('set DATABASE_URL');
    expect(ownerOnDisk()).toMatchObject({ pid });
  });

  it('refuses a second time in the same process', () => {
    FolderLock.acquire(folder);
    expect(refusal()).toMatchObject({ code: 'DATABASE_IN_USE' });
  });

  it('takes over from an owner that was killed', async () => {
    leaveLockOf(processIdentity(Number(other.pid)));
    await kill(other);
    FolderLock.acquire(folder);
    expect(ownerOnDisk()).toEqual(processIdentity(process.pid));
    expect(readdirSync(folder)).toEqual(['database.lock']);
  });

  it('takes over when the pid is of another process by now, even of this one', () => {
    for (const pid of [Number(other.pid), process.pid]) {
      leaveLockOf({ pid, startedAt: 'before the last boot/1' });
      FolderLock.acquire(folder).release();
    }
    expect(existsSync(path)).toBe(false);
  });

  it('believes the pid alone where the system does not tell when a process started', () => {
    leaveLockOf({ pid: other.pid, startedAt: null });
    expect(refusal()).toMatchObject({ code: 'DATABASE_IN_USE' });
  });

  it.each(['', '{"pid":', '{"pid":-42,"startedAt":null}', '{"pid":"1","startedAt":null}', 'null'])(
    'takes over a lock nobody could have finished: %p',
    (text) => {
      writeFileSync(path, text);
      FolderLock.acquire(folder);
      expect(ownerOnDisk()).toEqual(processIdentity(process.pid));
    },
  );
});
