import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { waitUntil } from './wait-until.mjs';

/** @typedef {{ pid: number, command: string }} FoundProcess */

/** @param {number} pid */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there and belongs to another user.
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/**
 * When a process started, in a form only good for comparing. With the pid it names one process for ever, which
 * the pid alone does not, as the system gives it to another process later.
 * @param {number} pid
 * @returns {string | undefined} undefined: no such process, or it has ended and its parent has not looked yet
 */
export function startTimeOf(pid) {
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)])
        .toString()
        .trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Fields 3 and 22 of proc(5); counted after the command name, which may hold spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/**
 * The processes which were started, directly or not, with this variable in their environment. Unlike a pid file
 * it cannot be stale, and it finds the daemons that a process leaves behind. Other users' processes are not seen.
 * @param {string} name
 * @param {string} value
 * @returns {FoundProcess[]}
 */
export function processesWithEnvironment(name, value) {
  const entry = `${name}=${value}`;
  if (process.platform !== 'linux') return fromPs(entry);
  const pids = readdirSync('/proc').filter((file) => /^\d+$/.test(file));
  return pids.map(Number).flatMap((pid) => {
    const environment = readProc(pid, 'environ');
    if (!environment.split('\0').includes(entry)) return [];
    return [{ pid, command: readProc(pid, 'cmdline').replaceAll('\0', ' ').trim() }];
  });
}

/**
 * Sends a signal; a process that has just ended is no failure.
 * @param {readonly FoundProcess[]} processes
 * @param {NodeJS.Signals} signal
 */
export function signalAll(processes, signal) {
  for (const { pid } of processes) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
    }
  }
}

/**
 * SIGKILLs until none is left: a dying process may just have started another.
 * @param {() => FoundProcess[]} find
 */
export async function killUntilGone(find) {
  await waitUntil(
    () => {
      const found = find();
      signalAll(found, 'SIGKILL');
      return found.length === 0;
    },
    { timeoutMs: 10_000, everyMs: 20 },
  );
}

/**
 * @param {number} pid
 * @param {'environ' | 'cmdline'} file
 */
function readProc(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // ended meanwhile, or another user's
  }
}

/**
 * BSD's and macOS's ps shows the environment of our own processes behind the command.
 * @param {string} entry
 * @returns {FoundProcess[]}
 */
function fromPs(entry) {
  const lines = execFileSync('ps', ['-axwwE', '-o', 'pid=,command='], { maxBuffer: 2 ** 26 })
    .toString()
    .split('\n');
  return lines
    .filter((line) => ` ${line} `.includes(` ${entry} `))
    .map((line) => ({ pid: Number.parseInt(line, 10), command: line.trim().replace(/^\d+\s+/, '') }));
}
