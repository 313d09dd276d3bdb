import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { inProject, ROOT } from '../project.mjs';
import { paint } from '../terminal/say.mjs';

/**
 * @typedef {object} AppDefinition
 * @property {string} name
 * @property {import('../terminal/say.mjs').Format} colour
 * @property {NodeJS.ProcessEnv} env
 * @property {readonly string[]} [args]
 *
 * @typedef {object} ChildApp
 * @property {string} name
 * @property {Promise<void>} ready settles when it says that it serves; never if it does not
 * @property {Promise<string>} ended how it ended, for people
 * @property {(signal: NodeJS.Signals) => void} signal
 */

const READY = /(?<!not )\bready\b/;
const NAME_WIDTH = 'thumbnails-worker'.length;

/**
 * Starts an app and copies its output, each line behind its name.
 * @param {AppDefinition} definition
 * @returns {ChildApp}
 */
export function startApp({ name, colour, env, args = [] }) {
  const preload = new URL('exit-with-parent.mjs', import.meta.url).href;
  const main = inProject('apps', name, 'dist', 'main.js');
  const child = spawn(process.execPath, ['--enable-source-maps', `--import=${preload}`, main, ...args], {
    cwd: ROOT,
    env,
    detached: true, // a process group of its own: Ctrl-C must reach it once, from us
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const prefix = paint(colour, `${name.padEnd(NAME_WIDTH)} │`);
  const lines = printLines(child.stdout, (line) => console.log(`${prefix} ${line}`));
  printLines(child.stderr, (line) => console.error(`${prefix} ${line}`));
  return {
    name,
    ready: untilReady(lines),
    ended: once(child, 'close').then(([code, signal]) =>
      signal ? `by ${signal}` : `with exit code ${code}`,
    ),
    signal: (signal) => void child.kill(signal),
  };
}

/**
 * @param {import('node:stream').Readable | null} stream
 * @param {(line: string) => void} print
 */
function printLines(stream, print) {
  if (!stream) throw new Error('expected the app to be started with pipes');
  const lines = createInterface({ input: stream });
  lines.on('line', print);
  return lines;
}

/**
 * @param {import('node:readline').Interface} lines
 * @returns {Promise<void>}
 */
function untilReady(lines) {
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      if (READY.test(line)) resolve();
    });
  });
}
