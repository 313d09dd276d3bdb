import { setTimeout as delay } from 'node:timers/promises';
import { acquireBroker } from './broker/acquire-broker.mjs';
import { prepare } from './setup/prepare.mjs';
import { startApp } from './start/child-app.mjs';
import { freeGatewayPort } from './start/gateway-port.mjs';
import { summary } from './start/summary.mjs';
import { interruption, mergeRepeatedSignals } from './system/signals.mjs';
import { say } from './terminal/say.mjs';
import { runMain } from './terminal/user-error.mjs';

/** @typedef {import('./start/child-app.mjs').ChildApp} ChildApp */
/** @typedef {import('./broker/acquire-broker.mjs').Broker} Broker */

const READY_TIMEOUT_MS = 60_000;
const DRAIN_TIMEOUT_MS = 30_000;
const EXIT_CODE_ENDED_AT_ONCE = 130;

await runMain(async () => {
  mergeRepeatedSignals();
  const port = await freeGatewayPort(process.env.PORT);
  await prepare();
  const broker = await acquireBroker({ purpose: 'start' });
  const apps = startApps({ port, broker });
  try {
    return await serve({ apps, port, broker });
  } finally {
    await shutDown(apps, broker);
  }
});

/**
 * Until somebody ends it, or something goes wrong.
 * @param {{ apps: readonly ChildApp[], port: number, broker: Broker }} running
 * @returns {Promise<number>} the exit code
 */
async function serve({ apps, port, broker }) {
  const interrupted = interruption();
  const failed = firstFailure(apps);
  const ready = Promise.all(apps.map((app) => app.ready)).then(() => {
    console.log(summary({ port, broker, env: process.env }));
  });
  const untilEnd = Promise.race([interrupted, failed]);
  const problem = await Promise.race([ready.then(() => untilEnd), untilEnd]);
  if (!problem) return 0;
  say.error(problem);
  return 1;
}

/** @param {{ port: number, broker: Broker }} facts */
function startApps({ port, broker }) {
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, PORT: String(port), RABBITMQ_URL: broker.url };
  if (broker.managementUrl) env.RABBITMQ_MANAGEMENT_URL = broker.managementUrl;
  return [
    startApp({ name: 'gateway', colour: 'magenta', env }),
    startApp({ name: 'events-worker', colour: 'blue', env, args: process.argv.slice(2) }),
    startApp({ name: 'thumbnails-worker', colour: 'cyan', env }),
  ];
}

/**
 * What went wrong: an app ended by itself, or did not get ready in time.
 * @param {readonly ChildApp[]} apps
 * @returns {Promise<string>}
 */
function firstFailure(apps) {
  const ends = apps.map(
    async ({ name, ended }) => `${name} ended by itself, ${await ended}: see its last lines above.`,
  );
  const delays = apps.map(async ({ name, ready }) => {
    const isReady = ready.then(() => true);
    if (await Promise.race([isReady, delay(READY_TIMEOUT_MS, false, { ref: false })]))
      return new Promise(() => {});
    return `${name} was not ready within ${READY_TIMEOUT_MS / 1000} s: see its last lines above.`;
  });
  return Promise.race(/** @type {Promise<string>[]} */ ([...ends, ...delays]));
}

/**
 * The gateway is told first: nothing new comes in while the workers finish what they have begun.
 * @param {readonly ChildApp[]} apps
 * @param {Broker} broker
 */
async function shutDown(apps, broker) {
  say.step('Stopping: open requests and running work are finished first (Ctrl-C again ends at once) …');
  endAtOnceOnSignal(apps, broker);
  for (const app of apps) app.signal('SIGTERM');
  const allEnded = Promise.all(apps.map((app) => app.ended)).then(() => true);
  if (!(await Promise.race([allEnded, delay(DRAIN_TIMEOUT_MS, false, { ref: false })]))) {
    say.warn(
      `Not everything ended within ${DRAIN_TIMEOUT_MS / 1000} s, the rest is killed; its work stays in the queue.`,
    );
    for (const app of apps) app.signal('SIGKILL');
    await allEnded;
  }
  await leave(broker);
}

/** @param {Broker} broker only stopped if it was not there before */
async function leave(broker) {
  if (!broker.isStartedHere) return say.done(`Stopped; ${broker.name} keeps running`);
  say.step(`Stopping ${broker.name} …`);
  await broker.stop();
  return say.done('Stopped, the broker too');
}

/**
 * @param {readonly ChildApp[]} apps
 * @param {Broker} broker
 */
function endAtOnceOnSignal(apps, broker) {
  const end = () => {
    for (const app of apps) app.signal('SIGKILL');
    if (broker.isStartedHere) say.warn('The broker may still be running: npm run broker:stop');
    process.exit(EXIT_CODE_ENDED_AT_ONCE);
  };
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
}
