import { readFileSync } from 'node:fs';
import { inProject } from '../project.mjs';
import { runCommand } from '../system/run-command.mjs';
import { say } from '../terminal/say.mjs';
import { messageOf, UserError } from '../terminal/user-error.mjs';

/** @typedef {import('./acquire-broker.mjs').Broker} Broker */

const ANSWER_TIMEOUT_MS = 5000;
const CONTAINER_START_TIMEOUT_MS = 120_000;

/** RabbitMQ's ports inside a container. */
export const AMQP_PORT = 5672;
export const MANAGEMENT_PORT = 15_672;

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
 * A throw-away broker for one test run, by Testcontainers. It can only be called after the installation.
 * @returns {Promise<Broker>}
 */
export async function startTestContainer() {
  const { RabbitMQContainer } = await import('@testcontainers/rabbitmq');
  const image = pinnedImage();
  say.step(`Starting ${image} with Testcontainers …`);
  try {
    const container = await new RabbitMQContainer(image)
      .withStartupTimeout(CONTAINER_START_TIMEOUT_MS)
      .start();
    const address = (/** @type {number} */ port) => `${container.getHost()}:${container.getMappedPort(port)}`;
    return {
      kind: 'container',
      name: `${image} (Testcontainers)`,
      url: `amqp://guest:guest@${address(AMQP_PORT)}`,
      managementUrl: `http://guest:guest@${address(MANAGEMENT_PORT)}`,
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
