import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isStale, withLock } from './file-lock.mjs';
import { startTimeOf } from './processes.mjs';

const NO_PROCESS = 2 ** 22 + 1; // above the highest pid of Linux

describe('a lock', () => {
  const system = (/** @type {string | undefined} */ startTime) => ({
    isAlive: () => startTime !== undefined,
    startTimeOf: () => startTime,
  });

  it('is held as long as the process that took it lives', () => {
    expect(isStale({ pid: 7, startTime: '100' }, system('100'))).toBe(false);
  });

  it('is stale when that process has ended', () => {
    expect(isStale({ pid: 7, startTime: '100' }, system(undefined))).toBe(true);
  });

  it('is stale when its pid belongs to a younger process', () => {
    expect(isStale({ pid: 7, startTime: '100' }, system('200'))).toBe(true);
  });

  it('is stale when nobody can be read from it', () => {
    expect(isStale(undefined, system('100'))).toBe(true);
  });
});

describe('doing something under a lock', () => {
  let folder = '';
  let lock = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lock-'));
    lock = join(folder, 'inside', 'lock');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('happens one after the other', async () => {
    const events = /** @type {string[]} */ ([]);
    let letFirstEnd = () => {};
    const untilLet = new Promise((resolve) => (letFirstEnd = () => resolve(undefined)));
    const first = withLock(lock, async () => {
      events.push('first begins');
      await untilLet;
      events.push('first ends');
    });
    const second = withLock(lock, async () => events.push('second'));
    letFirstEnd();
    await Promise.all([first, second]);
    expect(events).toEqual(['first begins', 'first ends', 'second']);
  });

  it('leaves the lock free, also after a failure', async () => {
    await expect(withLock(lock, async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(existsSync(lock)).toBe(false);
    await expect(withLock(lock, async () => 'yes')).resolves.toBe('yes');
  });

  it('takes over the lock of a process that was killed', async () => {
    await withLock(lock, async () => {});
    for (const file of [lock, `${lock}.breaking`])
      writeFileSync(file, JSON.stringify({ pid: NO_PROCESS, startTime: '1' }));
    await expect(withLock(lock, async () => 'mine', { timeoutMs: 5000 })).resolves.toBe('mine');
  });

  it('gives up after a while and names the process that has it', async () => {
    await withLock(lock, async () => {});
    writeFileSync(lock, JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid) }));
    await expect(withLock(lock, async () => 'mine', { timeoutMs: 0 })).rejects.toThrow(
      `Process ${process.pid} has held`,
    );
  });
});
