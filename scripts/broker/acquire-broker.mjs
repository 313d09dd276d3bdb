import { join } from 'node:path';
import { say, secondsSince } from '../terminal/say.mjs';
import { UserError } from '../terminal/user-error.mjs';
import { startWithCompose } from './compose.mjs';
import { startTestContainer, whyNoDocker } from './docker.mjs';
import { fetchRabbitmq, findUnpacked } from './fetch-rabbitmq.mjs';
import { NODES_DIR } from './folders.mjs';
import { installRabbitmq, whyNoInstallation } from './package-manager.mjs';
import { startPrivateNode } from './private-node.mjs';
import { findInstalled } from './rabbitmq-server.mjs';
import { searchOrder } from './search-order.mjs';
import { DEFAULT_VERSION } from './versions.mjs';

/**
 * @typedef {object} Broker
 * @property {'external' | 'container' | 'private'} kind
 * @property {string} name for people
 * @property {string} url AMQP, with user and password
 * @property {string} [managementUrl] with user and password; only an external one may have none
 * @property {boolean} isStartedHere false: it was running before
 * @property {() => Promise<void>} stop nothing for an external one
 *
 * @typedef {'start' | 'test'} Purpose
 * @typedef {import('./rabbitmq-server.mjs').RabbitServer} RabbitServer
 * @typedef {{ broker: Broker } | { server: RabbitServer } | { whyNot: string, isFailure?: boolean }} Attempt a
 *   broker that runs, a server to start, or why there is neither: it is not there, or it failed
 */

/**
 * Finds a RabbitMQ, or starts one: the first way that works, in the order of searchOrder.
 * @param {{ purpose: Purpose }} need a test gets a container of its own, a start the one of docker-compose.yml
 * @returns {Promise<Broker>}
 * @throws {UserError} naming every way and why it did not work
 */
export async function acquireBroker({ purpose }) {
  const order = searchOrder(process.env);
  if (order.kind === 'external') return external(order);
  if (order.kind === 'version') return startOwn(await fetchRabbitmq(order.version));
  const reasons = /** @type {Record<string, string>} */ ({});
  for (const way of order.ways) {
    const attempt = await tryWay(way, purpose);
    if ('broker' in attempt) return attempt.broker;
    // Not part of the attempt: no other way mends a server that is there and does not start; its log says why.
    if ('server' in attempt) return startOwn(attempt.server);
    reasons[way] = attempt.whyNot;
    // The last one's is in the error that follows.
    if (attempt.isFailure && way !== order.ways.at(-1)) say.warn(attempt.whyNot);
  }
  throw new UserError(explain(reasons));
}

/**
 * @param {import('./search-order.mjs').Way} way
 * @param {Purpose} purpose
 * @returns {Promise<Attempt>}
 */
async function tryWay(way, purpose) {
  try {
    return await WAYS[way](purpose);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { whyNot: error.message, isFailure: true };
  }
}

/** @type {Record<import('./search-order.mjs').Way, (purpose: Purpose) => Promise<Attempt>>} */
const WAYS = {
  container: async (purpose) => {
    const whyNot = await whyNoDocker({ withCompose: purpose === 'start' });
    if (whyNot) return { whyNot };
    return { broker: await (purpose === 'start' ? startWithCompose() : startTestContainer()) };
  },
  installed: async () => found(findInstalled(), 'rabbitmq-server and erl were not found'),
  'unpacked-before': async () => found(findUnpacked(DEFAULT_VERSION), 'nothing was unpacked before'),
  install: async () => {
    const whyNot = await whyNoInstallation();
    if (whyNot) return { whyNot };
    await installRabbitmq();
    return found(findInstalled(), 'it was installed, but rabbitmq-server or erl were not found afterwards');
  },
  unpack: async () => ({ server: await fetchRabbitmq(DEFAULT_VERSION) }),
};

/**
 * @param {RabbitServer | undefined} server
 * @param {string} whyNot
 * @returns {Attempt}
 */
const found = (server, whyNot) => (server ? { server } : { whyNot });

/**
 * @param {RabbitServer} server
 * @returns {Promise<Broker>}
 */
async function startOwn(server) {
  const started = performance.now();
  const node = await startPrivateNode({ dir: join(NODES_DIR, server.key), server });
  const name = `RabbitMQ ${node.version}, a private node of this project`;
  if (node.isStartedHere) say.done(`Started ${name} (${secondsSince(started)})`);
  else say.step(`Using ${name}, already running`);
  return { ...node, kind: 'private', name };
}

/**
 * @param {{ url: string, managementUrl: string | undefined }} order
 * @returns {Broker}
 */
function external({ url, managementUrl }) {
  say.step('Using the broker of RABBITMQ_URL');
  return {
    kind: 'external',
    name: 'the broker of RABBITMQ_URL',
    url,
    managementUrl,
    isStartedHere: false,
    stop: async () => {},
  };
}

/** @param {Record<string, string>} reasons */
const explain = (reasons) => `There is no RabbitMQ, and none could be started. Any one of these helps:
  - set RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL to a RabbitMQ that runs
  - start Docker (${reasons.container})
  - install rabbitmq-server (${reasons.installed})
  - be root, or let sudo work without a password, so that apt-get can install it (${reasons.install})
  - make a Debian mirror reachable, so that it can be unpacked without root (${reasons.unpack})`;
