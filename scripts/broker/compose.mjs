import { join } from 'node:path';
import { ROOT, STATE_DIR } from '../project.mjs';
import { withLock } from '../system/file-lock.mjs';
import { runCommand } from '../system/run-command.mjs';
import { say } from '../terminal/say.mjs';
import { UserError } from '../terminal/user-error.mjs';
import { AMQP_PORT, MANAGEMENT_PORT } from './docker.mjs';
import { chooseFreePorts, isPortFree } from './free-ports.mjs';

/** @typedef {import('./acquire-broker.mjs').Broker} Broker */

/** Where docker-compose.yml takes the ports outside of the container from. */
const VARIABLES = /** @type {const} */ ({
  amqp: 'SPILLWAY_AMQP_PORT',
  management: 'SPILLWAY_MANAGEMENT_PORT',
});

const LOCK = join(STATE_DIR, 'compose.lock');

/**
 * The broker of docker-compose.yml, started if it is not running.
 * @returns {Promise<Broker>}
 */
export async function startWithCompose() {
  const running = await withLock(LOCK, bringUp);
  return {
    kind: 'container',
    name: 'RabbitMQ of docker compose',
    ...running,
    stop: async () => void (await stopCompose()),
  };
}

async function bringUp() {
  const before = await composeUrls();
  if (!before) say.step('Starting RabbitMQ with docker compose …');
  // Also if it runs: it may still be booting. With the ports that it has, else it would be made anew.
  const env = before ? portsOf(before) : await choosePorts();
  const { code, output } = await compose(['up', '--detach', '--wait'], { isShown: !before, env });
  if (code !== 0) {
    const lastLine = output.trim().split('\n').at(-1);
    throw new UserError(`docker compose up ended with exit code ${code}: ${lastLine}`);
  }
  const urls = await composeUrls();
  if (urls) return { ...urls, isStartedHere: !before };
  throw new UserError('docker compose started RabbitMQ but shows no port for it: see docker compose ps.');
}

/**
 * Stops the broker of docker-compose.yml, its data are kept.
 * @returns {Promise<boolean>} whether it was running
 */
export async function stopCompose() {
  if (!(await composeUrls())) return false;
  const { code, output } = await withLock(LOCK, () => compose(['stop']));
  if (code !== 0) throw new UserError(`docker compose stop ended with exit code ${code}: ${output.trim()}`);
  return true;
}

/**
 * Where the broker of docker-compose.yml is, if it is running.
 * @returns {Promise<{ url: string, managementUrl: string } | undefined>}
 */
export async function composeUrls() {
  const [amqp, management] = await Promise.all([publishedAt(AMQP_PORT), publishedAt(MANAGEMENT_PORT)]);
  if (!amqp || !management) return undefined;
  return { url: `amqp://guest:guest@${amqp}`, managementUrl: `http://guest:guest@${management}` };
}

/** @param {number} port */
async function publishedAt(port) {
  const { code, stdout } = await compose(['port', 'rabbitmq', String(port)]);
  return code === 0 ? /[\d.]+:[1-9]\d*/.exec(stdout)?.[0] : undefined;
}

/**
 * The machine's own broker may have the usual ports: then others, unless the caller has chosen.
 * @returns {Promise<NodeJS.ProcessEnv>}
 */
async function choosePorts() {
  const [amqp, management] = await Promise.all([
    choosePort(AMQP_PORT, VARIABLES.amqp),
    choosePort(MANAGEMENT_PORT, VARIABLES.management),
  ]);
  return portEnvironment(amqp, management);
}

/**
 * @param {number} usual
 * @param {string} variable
 */
async function choosePort(usual, variable) {
  if (process.env[variable]) return process.env[variable];
  return (await isPortFree(usual)) ? usual : (await chooseFreePorts(1))[0];
}

/** @param {{ url: string, managementUrl: string }} urls */
const portsOf = ({ url, managementUrl }) => portEnvironment(new URL(url).port, new URL(managementUrl).port);

/**
 * @param {string | number | undefined} amqp
 * @param {string | number | undefined} management
 * @returns {NodeJS.ProcessEnv}
 */
const portEnvironment = (amqp, management) => ({
  ...process.env,
  [VARIABLES.amqp]: String(amqp),
  [VARIABLES.management]: String(management),
});

/**
 * @param {string[]} args
 * @param {{ isShown?: boolean, env?: NodeJS.ProcessEnv }} [options]
 */
const compose = (args, options) => runCommand('docker', ['compose', ...args], { ...options, cwd: ROOT });
