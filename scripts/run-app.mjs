import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { findOwnBrokers } from './broker/own-brokers.mjs';
import { inProject } from './project.mjs';
import { prepare } from './setup/prepare.mjs';
import { mergeRepeatedSignals, onEndOfNpm } from './system/signals.mjs';
import { say } from './terminal/say.mjs';
import { runMain, UserError } from './terminal/user-error.mjs';

/** @type {Record<string, string>} */
const MAIN_FILES = {
  gateway: 'apps/gateway/dist/main.js',
  'events-worker': 'apps/events-worker/dist/main.js',
  'thumbnails-worker': 'apps/thumbnails-worker/dist/main.js',
  replay: 'bench/replay/dist/main.js',
};

/** Three terminals just work: after `npm run broker:start` the apps find the broker that it started. */
async function useOwnBroker() {
  if (process.env.RABBITMQ_URL) return;
  const [broker] = await findOwnBrokers();
  if (!broker) return;
  process.env.RABBITMQ_URL = broker.url;
  process.env.RABBITMQ_MANAGEMENT_URL = broker.managementUrl;
  say.step(`Using ${broker.name}`);
}

await runMain(async () => {
  mergeRepeatedSignals();
  const [name = '', ...args] = process.argv.slice(2);
  const file = MAIN_FILES[name];
  if (!file)
    throw new UserError(`expected one of ${Object.keys(MAIN_FILES).join(', ')}, got: ${name || 'nothing'}`);
  await prepare();
  await useOwnBroker();
  const main = inProject(file);
  if (!existsSync(main)) throw new UserError(`${file} was not built: ${name} has no src/main.ts.`);
  // In this very process: the app gets the terminal's signals itself, and its exit code is ours.
  process.setSourceMapsEnabled(true);
  onEndOfNpm(() => process.kill(process.pid, 'SIGTERM'));
  process.argv = [process.argv[0] ?? '', main, ...args];
  await import(pathToFileURL(main).href);
  // n.b. exitCode stays as the app set it.
  return Number(process.exitCode ?? 0);
});
