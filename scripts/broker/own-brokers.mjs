import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../system/file-lock.mjs';
import { composeUrls, stopCompose } from './compose.mjs';
import { whyNoDocker } from './docker.mjs';
import { NODES_DIR } from './folders.mjs';
import { pathsOf } from './node-configuration.mjs';
import { findServing, hasServer, stopNode } from './node-processes.mjs';

/** @typedef {{ name: string, url: string, managementUrl: string }} OwnBroker */

/**
 * The folders of this checkout's private nodes, one for each version; with RABBITMQ_VERSION set, only that one's.
 * @param {NodeJS.ProcessEnv} [env]
 */
const nodeFolders = ({ RABBITMQ_VERSION: version } = process.env) =>
  existsSync(NODES_DIR)
    ? readdirSync(NODES_DIR)
        .filter((key) => !version || key === version)
        .sort()
        .map((key) => ({ key, dir: join(NODES_DIR, key) }))
    : [];

/**
 * The private nodes of this checkout that serve now.
 * @returns {Promise<OwnBroker[]>}
 */
async function findPrivateNodes() {
  const found = await Promise.all(nodeFolders().map(({ dir }) => findServing(dir)));
  return found.flatMap((node) =>
    node ? [{ ...node, name: `RabbitMQ ${node.version}, a private node` }] : [],
  );
}

/**
 * Everything that this checkout's scripts started and that serves now.
 * @returns {Promise<OwnBroker[]>}
 */
export async function findOwnBrokers() {
  const compose = (await whyNoDocker({ withCompose: true })) ? undefined : await composeUrls();
  return [
    ...(await findPrivateNodes()),
    ...(compose ? [{ name: 'RabbitMQ of docker compose', ...compose }] : []),
  ];
}

/**
 * Stops every broker of this checkout, whatever state it is in; with RABBITMQ_VERSION set, only the node of that version.
 * @returns {Promise<string[]>} what was stopped
 */
export async function stopOwnBrokers() {
  const stopped = await Promise.all(nodeFolders().map(stopFolder));
  if (process.env.RABBITMQ_VERSION) return stopped.flat();
  const hadCompose = !(await whyNoDocker({ withCompose: true })) && (await stopCompose());
  return [...stopped.flat(), ...(hadCompose ? ['RabbitMQ of docker compose'] : [])];
}

/** @param {{ key: string, dir: string }} folder */
async function stopFolder({ key, dir }) {
  // A start in another terminal is waited for: else it would leave a node behind.
  return withLock(pathsOf(dir).lock, async () => {
    const wasRunning = hasServer(dir);
    await stopNode(dir);
    return wasRunning ? [`the private node ${key}`] : [];
  });
}
