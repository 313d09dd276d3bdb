import { readFileSync } from 'node:fs';
import { killUntilGone, processesWithEnvironment, signalAll } from '../system/processes.mjs';
import { waitUntil } from '../system/wait-until.mjs';
import { say } from '../terminal/say.mjs';
import { MARKER, pathsOf } from './node-configuration.mjs';
import { readRecord, urlsOf } from './node-record.mjs';
import { answersAmqp, askManagement } from './readiness.mjs';

/** RabbitMQ 3.10 takes 6 s; one that syncs a lot of data longer. */
const STOP_TIMEOUT_MS = 30_000;

/** @param {string} dir the node's folder */
const everyProcess = (dir) => processesWithEnvironment(MARKER, dir);

/** @param {string} dir */
const erlangMachines = (dir) => everyProcess(dir).filter(({ command }) => command.includes('beam.smp'));

/** @param {string} dir */
const serverProcesses = (dir) => everyProcess(dir).filter(({ command }) => !/\bepmd(\.elf)?\b/.test(command));

/**
 * Whether a start has left anything in this folder that runs, be it half dead; the name server alone is nothing.
 * @param {string} dir
 */
export const hasServer = (dir) => serverProcesses(dir).length > 0;

/**
 * The node of a folder if it serves: our own processes, and behind both ports the node of that name. A copy of a
 * checkout has the name and the ports of the original, but not its processes.
 * @param {string} dir
 * @returns {Promise<{ url: string, managementUrl: string, version: string } | undefined>}
 */
export async function findServing(dir) {
  const record = readRecord(dir);
  if (!record || !hasServer(dir)) return undefined;
  const urls = urlsOf(record);
  if (!(await answersAmqp(urls.url))) return undefined;
  const answer = await askManagement(urls.managementUrl);
  return answer?.node === record.name ? { ...urls, version: answer.version } : undefined;
}

/**
 * The process id of the broker itself.
 * @param {string} dir
 * @returns {number | undefined}
 */
export function pidOf(dir) {
  const machines = erlangMachines(dir);
  // A short-lived helper of the start is an Erlang machine too; RabbitMQ writes down which one it is.
  return (machines.find(({ pid }) => pid === writtenPid(dir)) ?? machines[0])?.pid;
}

/**
 * Stops the node of a folder and its name server, whatever state they are in. Fine if nothing runs.
 * @param {string} dir
 * @returns {Promise<boolean>} whether there was a server
 */
export async function stopNode(dir) {
  const hadServer = hasServer(dir);
  // n.b. SIGTERM to any other process than the Erlang machine would make that one crash.
  signalAll(erlangMachines(dir), 'SIGTERM');
  signalAll(erlangMachines(dir), 'SIGCONT'); // a paused one hears nothing
  const isGone = () => erlangMachines(dir).length === 0;
  if (!(await waitUntil(isGone, { timeoutMs: STOP_TIMEOUT_MS }))) {
    say.warn(`RabbitMQ in ${dir} did not stop within ${STOP_TIMEOUT_MS / 1000} s and is killed.`);
  }
  await killNode(dir);
  return hadServer;
}

/**
 * Ends everything of a node at once, as a crash would.
 * @param {string} dir
 */
export const killNode = (dir) => killUntilGone(() => everyProcess(dir));

/** @param {string} dir */
function writtenPid(dir) {
  try {
    return Number(readFileSync(pathsOf(dir).pidFile, 'utf8'));
  } catch {
    return undefined;
  }
}
