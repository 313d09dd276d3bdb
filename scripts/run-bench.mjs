import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { acquireBroker } from './broker/acquire-broker.mjs';
import { inProject, STATE_DIR } from './project.mjs';
import { differences } from './setup/installed-packages.mjs';
import { prepare } from './setup/prepare.mjs';
import { withLock } from './system/file-lock.mjs';
import { runCommand } from './system/run-command.mjs';
import { mergeRepeatedSignals, onEndOfNpm } from './system/signals.mjs';
import { say, secondsSince } from './terminal/say.mjs';
import { runMain, UserError } from './terminal/user-error.mjs';

const BENCH_DIR = inProject('bench', 'side-by-side');
/** What we are measured against has a lock file of its own: nothing of the project may come to depend on it. */
const PEERS_DIR = join(BENCH_DIR, 'peers');

const BENCHMARKS = ['publish', 'consume', 'gateway'];

/** Runs `npm ci` for the peers unless exactly the packages of their lock file are installed. */
async function ensurePeers() {
  if (arePeersInstalled()) return;
  await withLock(join(STATE_DIR, 'install-peers.lock'), async () => {
    if (!arePeersInstalled()) await installPeers();
  });
}

function arePeersInstalled() {
  const installed = readPackages('node_modules/.package-lock.json');
  return (
    installed !== undefined && differences(readPackages('package-lock.json') ?? {}, installed).length === 0
  );
}

/**
 * @param {string} path
 * @returns {import('./setup/installed-packages.mjs').LockEntries | undefined}
 */
function readPackages(path) {
  try {
    return JSON.parse(readFileSync(join(PEERS_DIR, path), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

async function installPeers() {
  const started = performance.now();
  say.step('Installing the clients to compare with, into bench/side-by-side/peers, with npm ci …');
  // n.b. inside `npm run` the npm that runs us is named, and it has told us its own folder in the environment.
  const npm = process.env.npm_execpath;
  const args = ['ci', '--prefix', PEERS_DIR];
  const [command, commandArgs] = npm?.endsWith('.js') ? [process.execPath, [npm, ...args]] : ['npm', args];
  const { code, output } = await runCommand(command, commandArgs, { cwd: PEERS_DIR });
  if (code !== 0) {
    throw new UserError(
      `npm ci in bench/side-by-side/peers ended with exit code ${code}; without it there is nothing to compare with. It said:\n${output.trim()}`,
    );
  }
  say.done(`The clients to compare with are installed (${secondsSince(started)})`);
}

/**
 * In this very process: it gets the terminal's signals itself, and its exit code is ours.
 * @param {readonly string[]} args
 */
async function runBench(args) {
  const main = join(BENCH_DIR, 'dist', 'main.js');
  process.setSourceMapsEnabled(true);
  process.argv = [process.argv[0] ?? '', main, ...args];
  await import(pathToFileURL(main).href);
  // n.b. exitCode stays as the benchmark set it.
  return Number(process.exitCode ?? 0);
}

/** @param {readonly string[]} args */
async function runWithBroker(args) {
  await ensurePeers();
  const broker = await acquireBroker({ purpose: 'test' });
  const { url, managementUrl } = broker;
  if (!managementUrl) {
    throw new UserError(
      'RABBITMQ_URL is set and RABBITMQ_MANAGEMENT_URL is not: a benchmark runs in a vhost of its own, made through the management API. Set it too, for example to http://guest:guest@127.0.0.1:15672.',
    );
  }
  Object.assign(process.env, { RABBITMQ_URL: url, RABBITMQ_MANAGEMENT_URL: managementUrl });
  try {
    return await runBench(args);
  } finally {
    // A private node is left for the next command, which then starts at once.
    if (broker.isStartedHere && broker.kind !== 'private') await broker.stop();
  }
}

/** Before anything is installed or started for it. @param {readonly string[]} args */
function assertBenchmark([name = '']) {
  if (BENCHMARKS.includes(name)) return;
  throw new UserError(`expected one of ${BENCHMARKS.join(', ')}, got: ${name}. npm run bench -- --help`);
}

await runMain(async () => {
  mergeRepeatedSignals();
  onEndOfNpm(() => process.kill(process.pid, 'SIGTERM'));
  const args = process.argv.slice(2);
  const isForHelp = args.length === 0 || args.includes('--help') || args.includes('-h');
  if (!isForHelp) assertBenchmark(args);
  await prepare();
  return isForHelp ? runBench(args) : runWithBroker(args);
});
