import { readFileSync } from 'node:fs';
import { inProject, ROOT } from '../project.mjs';
import { runCommand } from '../system/run-command.mjs';
import { say } from '../terminal/say.mjs';
import { messageOf, UserError } from '../terminal/user-error.mjs';
import { isPortFree } from './free-ports.mjs';

/** @typedef {import('./acquire-broker.mjs').Broker} Broker */

const ANSWER_TIMEOUT_MS = 5000;

/** Ports inside the container, and the variables of docker-compose.yml for those outside. */
const PORTS = /** @type {const} */ ({
  amqp: { inside: 5672, variable: 'SPILLWAY_AMQP_PORT' },
  management: { inside: 15672, variable: 'SPILLWAY_MANAGEMENT_PORT' },
});

/**
 * @param {{ withCompose: boolean }} need
 * @returns {Promise<string | undefined>} why Docker cannot be used; undefined: it can
 */
export async function whyNoDocker({ withCompose }) {
  const engine = await runCommand('docker', ['info', '--format', '{{.ServerVersion}}'], {
    timeoutMs: ANSWER_TIMEOUT_MS,
  });
  if (engine.code === 127) return 'there is no docker command';
  if (engine.code !== 0) return 'no Docker engine answers';
  const compose =
    withCompose && (await runCommand('docker', ['compose', 'version'], { timeoutMs: ANSWER_TIMEOUT_MS }));
  return compose && compose.code !== 0 ? 'Docker has no compose plugin' : undefined;
}

/**
 * The broker of docker-compose.yml, started if it is not running.
 * @returns {Promise<Broker>}
 */
export async function startWithCompose() {
  const before = await composeUrls();
  if (!before) {
    say.step('Starting RabbitMQ with docker compose …');
    const { code, output } = await compose(['up', '--detach', '--wait'], {
      isShown: true,
      env: await freePortsEnvironment(),
    });
    if (code !== 0)
      throw new UserError(
        `docker compose up ended with exit code ${code}: ${output.trim().split('\n').at(-1)}`,
      );
  }
  const urls = before ?? (await composeUrls());
  if (!urls)
    throw new UserError('docker compose started RabbitMQ but shows no port for it: see docker compose ps.');
  return {
    kind: 'container',
    name: 'docker compose',
    ...urls,
    isStartedHere: !before,
    stop: async () => void (await stopCompose()),
  };
}

/**
 * Stops the broker of docker-compose.yml, its data are kept.
 * @returns {Promise<boolean>} whether it was running
 */
export async function stopCompose() {
  if (!(await composeUrls())) return false;
  const { code, output } = await compose(['stop']);
  if (code !== 0) throw new UserError(`docker compose stop ended with exit code ${code}: ${output.trim()}`);
  return true;
}

/**
 * Where the broker of docker-compose.yml is, if it is running.
 * @returns {Promise<{ url: string, managementUrl: string } | undefined>}
 */
export async function composeUrls() {
  const [amqp, management] = await Promise.all([
    publishedAt(PORTS.amqp.inside),
    publishedAt(PORTS.management.inside),
  ]);
  if (!amqp || !management) return undefined;
  return { url: `amqp://guest:guest@${amqp}`, managementUrl: `http://guest:guest@${management}` };
}

/**
 * A throw-away broker for one test run, by Testcontainers. It can only be called after the installation.
 * @returns {Promise<Broker>}
 */
export async function startTestContainer() {
  const { RabbitMQContainer } = await import('@testcontainers/rabbitmq');
  const image = pinnedImage();
  say.step(`Starting ${image} with Testcontainers …`);
  try {
    const container = await new RabbitMQContainer(image).withStartupTimeout(120_000).start();
    const address = (/** @type {number} */ port) => `${container.getHost()}:${container.getMappedPort(port)}`;
    return {
      kind: 'container',
      name: `${image} (Testcontainers)`,
      url: `amqp://guest:guest@${address(PORTS.amqp.inside)}`,
      managementUrl: `http://guest:guest@${address(PORTS.management.inside)}`,
      isStartedHere: true,
      stop: async () => void (await container.stop()),
    };
  } catch (error) {
    throw new UserError(`Testcontainers could not start ${image}: ${messageOf(error)}`, { cause: error });
  }
}

/** @param {string} [composeFile] */
export function pinnedImage(composeFile = readFileSync(inProject('docker-compose.yml'), 'utf8')) {
  const image = /^\s*image:\s*['"]?(rabbitmq:[^\s'"]+)/m.exec(composeFile)?.[1];
  if (image) return image;
  throw new UserError('docker-compose.yml names no image rabbitmq:…; tests take theirs from there.');
}

/** @param {number} port */
async function publishedAt(port) {
  const { code, stdout } = await compose(['port', 'rabbitmq', String(port)]);
  return code === 0 ? /[\d.]+:[1-9]\d*/.exec(stdout)?.[0] : undefined;
}

/** The machine's own broker may have the usual ports: then others, unless the caller has chosen. */
async function freePortsEnvironment() {
  const env = { ...process.env };
  for (const { inside, variable } of Object.values(PORTS)) {
    // Port 0: Docker chooses.
    env[variable] ||= (await isPortFree(inside)) ? String(inside) : '0';
  }
  return env;
}

/**
 * @param {string[]} args
 * @param {{ isShown?: boolean, env?: NodeJS.ProcessEnv }} [options]
 */
const compose = (args, options) => runCommand('docker', ['compose', ...args], { ...options, cwd: ROOT });
