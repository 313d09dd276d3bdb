import { readFileSync } from 'node:fs';
import { errorFacts } from '../error-facts.js';

/** A process, and when it started where the system tells: a pid alone is soon given to another process. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string | null;
}

/** Positions in /proc/<pid>/stat after the name of the program: fields 3 and 22 of proc(5). */
const STATE_FIELD = 0;
const START_FIELD = 19;

/** n.b. in a container every start of the worker has the same pid, so the pid alone would say it still runs. */
export function processIdentity(pid: number): ProcessIdentity {
  return { pid, startedAt: startOf(pid) };
}

export function isRunning(identity: ProcessIdentity): boolean {
  if (!hasPid(identity.pid)) return false;
  const startedAt = startOf(identity.pid);
  return startedAt === null || identity.startedAt === null || startedAt === identity.startedAt;
}

/** @returns undefined for a text that no identity was written as */
export function readIdentity(text: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    if (!('pid' in value) || !('startedAt' in value)) return undefined;
    const { pid, startedAt } = value;
    if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
    return typeof startedAt === 'string' || startedAt === null ? { pid, startedAt } : undefined;
  } catch {
    return undefined;
  }
}

function hasPid(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, under another user.
    return errorFacts(error).code === 'EPERM';
  }
}

/** Boot and clock tick at which a process started; null where there is no /proc. */
function startOf(pid: number): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    // The name may hold spaces and brackets itself, so the fields are counted from its last bracket.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    // A zombie ended; it only waits for its parent to notice.
    return fields[STATE_FIELD] === 'Z' ? 'ended' : `${boot}/${fields[START_FIELD] ?? ''}`;
  } catch {
    return null;
  }
}
