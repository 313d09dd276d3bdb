import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ROOT } from '../project.mjs';
import { paint } from '../terminal/say.mjs';

/** @typedef {import('../broker/acquire-broker.mjs').Broker} Broker */

const BODY = '{"zen":"Keep it logically awesome."}';
const DEFAULT_PORT = 3000;

/**
 * What a person sees when everything is up: where it all is, and what to try first.
 * @param {{ port: number, broker: Broker, env: NodeJS.ProcessEnv }} facts
 */
export function summary({ port, broker, env }) {
  const gateway = `http://${reachableHost(env.HOST)}:${port}`;
  const rows = [
    ['gateway', `${gateway}/webhooks/github  ${gateway}/images`],
    ['health', `${gateway}/health/ready  ${gateway}/health/live`],
    ['queues', 'github-events  images'],
    ['RabbitMQ', withoutPassword(broker.url)],
    ['management', managementOf(broker)],
    ['database', databaseOf(env)],
    ['thumbnails', `${thumbnailsFolderOf(env)}/`],
  ];
  const table = rows.map(
    ([name = '', where = '']) => `  ${paint('bold', name.padEnd(11))} ${paint('cyan', where)}`,
  );
  return [
    '',
    paint('green', 'Spillway is ready'),
    ...table,
    '',
    `${paint('bold', 'Try it')} (answers 202):`,
    curlLine(gateway, env.GITHUB_WEBHOOK_SECRET),
    `${paint('bold', 'Make the sizes of a photograph')} of yours (answers 202; 200 and the sizes with -H 'Prefer: wait=5'):`,
    `curl -i ${gateway}/images --data-binary @photo.jpg`,
    `${paint('bold', 'Send real webhooks')}, in another terminal:`,
    `${port === DEFAULT_PORT ? '' : `PORT=${port} `}npm run replay -- --rate 200 --duration 10s${env.DATABASE_URL ? '   (with the same DATABASE_URL)' : ''}`,
    '',
    paint('dim', 'Ctrl-C stops everything: accepted work is finished or kept in the queue.'),
    '',
  ].join('\n');
}

/**
 * @param {string} gateway
 * @param {string | undefined} secret GITHUB_WEBHOOK_SECRET: then only signed webhooks are accepted
 */
export function curlLine(gateway, secret) {
  const headers = [
    'content-type: application/json',
    'X-GitHub-Event: ping',
    `X-GitHub-Delivery: ${randomUUID()}`,
    ...(secret
      ? [`X-Hub-Signature-256: sha256=${createHmac('sha256', secret).update(BODY).digest('hex')}`]
      : []),
  ];
  return [
    'curl -i',
    `${gateway}/webhooks/github`,
    ...headers.map((header) => `-H '${header}'`),
    `-d '${BODY}'`,
  ].join(' ');
}

/**
 * An address that stands for all of them is none to connect to.
 * @param {string | undefined} host what the gateway listens on
 */
const reachableHost = (host) => (!host || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host);

/** @param {NodeJS.ProcessEnv} env */
function databaseOf({ DATABASE_URL: url, SPILLWAY_DATA_DIR: folder }) {
  if (url) return withoutPassword(url);
  const dataFolder = folder || '.spillway';
  try {
    // Left there by the worker, for those who want to look into its database.
    const { url: address } = JSON.parse(readFileSync(resolve(ROOT, dataFolder, 'database.json'), 'utf8'));
    return `${address}  (embedded, its files are in ${dataFolder}/)`;
  } catch {
    return `embedded, its files are in ${dataFolder}/`;
  }
}

/** @param {NodeJS.ProcessEnv} env */
const thumbnailsFolderOf = ({ THUMBNAILS_FOLDER: folder, SPILLWAY_DATA_DIR: dataFolder }) =>
  folder || join(dataFolder || '.spillway', 'thumbnails');

/** @param {Broker} broker */
function managementOf({ managementUrl, kind }) {
  if (!managementUrl) return 'RABBITMQ_MANAGEMENT_URL is not set';
  const { username, password } = new URL(managementUrl);
  const credentials = kind === 'external' ? '' : `  (user ${username}, password ${password})`;
  return `${withoutUser(managementUrl)}${credentials}`;
}

/** @param {string} url */
function withoutUser(url) {
  const parsed = new URL(url);
  parsed.username = '';
  parsed.password = '';
  return parsed.href;
}

/** @param {string} url */
function withoutPassword(url) {
  if (!URL.canParse(url)) return 'as set';
  const parsed = new URL(url);
  if (parsed.password) parsed.password = '***';
  return parsed.href;
}
