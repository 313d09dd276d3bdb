import { spawn } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { withLock } from '../system/file-lock.mjs';
import { waitUntil } from '../system/wait-until.mjs';
import { say } from '../terminal/say.mjs';
import { UserError } from '../terminal/user-error.mjs';
import { findServer } from './find-server.mjs';
import { environmentOf, pathsOf, writeConfiguration } from './node-configuration.mjs';
import { lastLogLines, setLogAside } from './node-log.mjs';
import { findServing, hasServer, killNode, pidOf, stopNode } from './node-processes.mjs';
import { renewRecord } from './node-record.mjs';
import { rabbitmqctl } from './rabbitmqctl.mjs';

/** @typedef {import('./private-node.d.mts').PrivateNode} PrivateNode */

/** A boot takes 3 to 8 s on an idle machine. */
const BOOT_TIMEOUT_MS = 90_000;

/** How long a node that somebody else started, and that does not answer, may still be booting. */
const OTHERS_BOOT_TIMEOUT_MS = 10_000;

/**
 * Starts a RabbitMQ node with everything of its own in one folder: data, logs, configuration, cookie, name server,
 * ports; loopback only. If the folder's node already serves it is used as it is. Started again in the same folder
 * it has the same data, and the same ports unless somebody took them meanwhile. It outlives this process.
 *
 * @param {import('./private-node.d.mts').PrivateNodeOptions} options
 * @returns {Promise<PrivateNode>}
 * @throws {UserError} with the last lines of the log, if it does not start
 */
export async function startPrivateNode({ dir: folder, version, server = findServer(version) }) {
  const dir = resolve(folder);
  return withLock(pathsOf(dir).lock, async () => {
    const running = await findRunning(dir);
    if (running) return describe(dir, server, running, false);
    // Rests of a crashed start, or a name server without a node, would hold the ports.
    await killNode(dir);
    return describe(dir, server, await boot(dir, server), true);
  });
}

/** @param {string} dir */
async function findRunning(dir) {
  if (!hasServer(dir)) return undefined;
  const serving = await findServing(dir);
  if (serving) return serving;
  say.step('RabbitMQ runs but does not answer; it may still be booting, waiting for it …');
  return waitUntil(() => findServing(dir), { timeoutMs: OTHERS_BOOT_TIMEOUT_MS, everyMs: 200 });
}

/**
 * @param {string} dir
 * @param {{ program: string, erlangFolder: string }} server
 */
async function boot(dir, server) {
  const record = await renewRecord(dir);
  writeConfiguration(dir, record);
  rmSync(pathsOf(dir).pidFile, { force: true });
  setLogAside(dir, record.name);
  const child = launch(server.program, dir, environmentOf(dir, record, server));
  const stopOnSignal = endWithUs(dir);
  try {
    const serving = await waitUntil(async () => child.end() ?? (await findServing(dir)), {
      timeoutMs: BOOT_TIMEOUT_MS,
      everyMs: 100,
    });
    if (serving && typeof serving !== 'string') return serving;
    const reason = serving ?? `it did not answer within ${BOOT_TIMEOUT_MS / 1000} s`;
    await killNode(dir);
    throw new UserError(
      `RabbitMQ (${server.program}) did not start: ${reason}. The end of its log:\n${lastLogLines(dir, record.name)}`,
    );
  } finally {
    stopOnSignal();
  }
}

/**
 * Detached, and its output in a file: a terminal's Ctrl-C must not reach it, nor a closed pipe stop it.
 * @param {string} program
 * @param {string} dir
 * @param {Record<string, string>} env
 */
function launch(program, dir, env) {
  const output = openSync(pathsOf(dir).output, 'w');
  const child = spawn(program, [], { cwd: dir, env, detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  child.unref();
  let ended = /** @type {string | undefined} */ (undefined);
  child.once('error', (error) => (ended = error.message));
  child.once('exit', (code, signal) => (ended = `it ended with ${signal ?? `exit code ${code}`}`));
  return { end: () => ended };
}

/**
 * A start that is interrupted takes its half-booted node with it.
 * @param {string} dir
 * @returns {() => void} call it when the node is up
 */
function endWithUs(dir) {
  let isEnding = false;
  const onSignal = (/** @type {NodeJS.Signals} */ signal) => {
    if (isEnding) return;
    isEnding = true;
    void killNode(dir).finally(() => {
      stopWatching();
      process.kill(process.pid, signal);
    });
  };
  const stopWatching = () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return stopWatching;
}

/**
 * @param {string} dir
 * @param {{ program: string, erlangFolder: string }} server
 * @param {{ url: string, managementUrl: string, version: string }} serving
 * @param {boolean} isStartedHere
 * @returns {PrivateNode}
 */
const describe = (dir, server, serving, isStartedHere) => ({
  ...serving,
  dir,
  isStartedHere,
  pid: pidOf(dir) ?? 0,
  stop: () => withLock(pathsOf(dir).lock, () => stopNode(dir)).then(() => undefined),
  kill: () => killNode(dir),
  ctl: (...args) => rabbitmqctl(dir, server, args),
});
