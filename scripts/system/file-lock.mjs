import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { messageOf, UserError } from '../terminal/user-error.mjs';
import { isAlive, startTimeOf } from './processes.mjs';
import { waitUntil } from './wait-until.mjs';

/** @typedef {{ pid: number, startTime: string | undefined }} LockHolder */

/**
 * Whether nobody holds a lock any more: its process ended, or its pid now belongs to a younger process.
 * @param {LockHolder | undefined} holder undefined: the file is gone or unreadable
 * @param {{ isAlive: (pid: number) => boolean, startTimeOf: (pid: number) => string | undefined }} [system]
 */
export function isStale(holder, system = { isAlive, startTimeOf }) {
  if (holder === undefined) return true;
  return !system.isAlive(holder.pid) || system.startTimeOf(holder.pid) !== holder.startTime;
}

/**
 * Does something while no other process does it under the same lock file. A lock whose holder died is taken over.
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} action
 * @param {{ timeoutMs?: number }} [options] how long to wait for the holder, default 3 minutes
 * @returns {Promise<T>}
 */
export async function withLock(path, action, { timeoutMs = 180_000 } = {}) {
  if (!(await waitUntil(() => tryToTake(path), { timeoutMs, everyMs: 100 }))) {
    const pid = readHolder(path)?.pid ?? 'unknown';
    throw new UserError(
      `Process ${pid} has held ${path} for more than ${timeoutMs / 1000} s. Wait for it, or end it and try again.`,
    );
  }
  try {
    return await action();
  } finally {
    rmSync(path, { force: true });
  }
}

/** @param {string} path */
function tryToTake(path) {
  if (create(path)) return true;
  if (isStale(readHolder(path))) breakStale(path);
  return false;
}

/**
 * Removes a dead holder's lock. Two waiters could both see it as stale and the slower one remove the lock that the
 * quicker one has just taken, so it is looked at again, and removed, by one waiter at a time.
 * @param {string} path
 */
function breakStale(path) {
  const breaker = `${path}.breaking`;
  if (create(breaker)) {
    if (isStale(readHolder(path))) rmSync(path, { force: true });
    rmSync(breaker, { force: true });
  } else if (isStale(readHolder(breaker))) {
    rmSync(breaker, { force: true });
  }
}

/**
 * A link appears whole or not at all: no other process can read a half-written holder.
 * @param {string} path
 */
function create(path) {
  const draft = `${path}.${randomUUID()}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(draft, JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid) }));
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw new UserError(
      `${dirname(path)} cannot be written: ${messageOf(error)}. If another user has run the project before, remove the folder as that user.`,
      { cause: error },
    );
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * @param {string} path
 * @returns {LockHolder | undefined}
 */
function readHolder(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
