import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, expect, test } from '@jest/globals';

import { systemClock } from '../clock.js';
import { readCommandLine } from '../options/command.js';
import { resolveSettings } from '../options/resolve-settings.js';
import { toPayload } from '../payloads/example-payloads.js';
import { planSends } from '../schedule/send-plan.js';
import { Ledger } from './ledger.js';
import { sendExamples } from './send-examples.js';

let server: Server | undefined;

afterEach(closeServer);

async function closeServer(): Promise<void> {
  const closing = server;
  server = undefined;
  closing?.closeAllConnections();
  await closing?.[Symbol.asyncDispose]();
}

type Gateway = (request: IncomingMessage, response: ServerResponse) => unknown;

async function listen(gateway: Gateway): Promise<string> {
  server = createServer((request, response) => void gateway(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function send(commandLine: string): Promise<Ledger> {
  const resolved = resolveSettings(readCommandLine(commandLine.split(' ')), {});
  if (!resolved.ok) throw new Error(resolved.problems.join());
  const { settings } = resolved;
  const ledger = new Ledger();
  const payloads = ['ping', 'push', 'star'].map((event) => toPayload(event, { event }, settings.secret));
  const stop = new AbortController().signal;
  await sendExamples({ settings, plan: planSends(settings), payloads, ledger, clock: systemClock, stop });
  return ledger;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

test('posts the examples in turn as GitHub does, each with a fresh id', async () => {
  const seen: string[] = [];
  const ids = new Set<unknown>();
  const url = await listen(async (request, response) => {
    const { method, url: path, headers } = request;
    seen.push(`${method} ${path} ${String(headers['x-github-event'])} ${await bodyOf(request)}`);
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/replay',
    });
    expect(headers['x-hub-signature-256']).toMatch(/^sha256=[0-9a-f]{64}$/);
    ids.add(headers['x-github-delivery']);
    response.writeHead(202).end();
  });
  const ledger = await send(`--url ${url} --rate 1000 --count 6 --secret swordfish --connections 1`);
  const onePass = ['ping', 'push', 'star'].map(
    (event) => `POST /webhooks/github ${event} {"event":"${event}"}`,
  );
  expect(seen).toEqual([...onePass, ...onePass]);
  expect(new Set(ledger.acceptedPlannedAtMs.keys())).toEqual(ids);
  expect(ledger).toMatchObject({ sent: 6, accepted: 6, rejected: 0, unknown: 0 });
});

test('a full queue is rejected by its reason and timed', async () => {
  const url = await listen((request, response) => {
    request.resume();
    response.writeHead(503, { 'Retry-After': '1', 'Content-Type': 'application/problem+json' });
    response.end(JSON.stringify({ status: 503, reason: 'queue-full' }));
  });
  const ledger = await send(`--url ${url} --rate 1000 --count 5`);
  expect([...ledger.rejectedByReason]).toEqual([['queue-full', 5]]);
  expect(ledger.timeTo503.percentileMs(99)).toBeGreaterThan(0);
});

test('with --retry a refused delivery comes back with the same id and is accepted', async () => {
  const attemptsById = new Map<unknown, number>();
  const url = await listen((request, response) => {
    request.resume();
    const id = request.headers['x-github-delivery'];
    const attempts = (attemptsById.get(id) ?? 0) + 1;
    attemptsById.set(id, attempts);
    if (attempts === 2) return response.writeHead(202).end();
    return response.writeHead(503).end(JSON.stringify({ reason: 'gateway-busy', retryAfterMs: 5 }));
  });
  const ledger = await send(`--url ${url} --rate 1000 --count 4 --retry`);
  expect(ledger).toMatchObject({ sent: 4, attempts: 8, accepted: 4, rejected: 0 });
  expect([...attemptsById.values()]).toEqual([2, 2, 2, 2]);
});

test('a gateway that hangs, or hangs up, leaves the outcome unknown', async () => {
  const url = await listen((request) => {
    if (request.headers['x-github-event'] === 'push') request.socket.destroy();
  });
  const ledger = await send(`--url ${url} --rate 1000 --count 3 --timeout 50ms`);
  expect(Object.fromEntries(ledger.unknownByReason)).toEqual({ timeout: 2, 'connection-reset': 1 });
});

test('an answer whose body never ends is accepted if it is a 202, otherwise nobody knows', async () => {
  const url = await listen((request, response) => {
    request.resume();
    response.writeHead(request.headers['x-github-event'] === 'ping' ? 202 : 503).write('{');
  });
  const ledger = await send(`--url ${url} --rate 1000 --count 2 --timeout 50ms`);
  expect(ledger).toMatchObject({ accepted: 1, rejected: 0, unknown: 1 });
});

test('where nobody listens, nothing was sent, so it is rejected', async () => {
  const url = await listen(() => undefined);
  await closeServer();
  const ledger = await send(`--url ${url} --rate 1000 --count 2`);
  expect([...ledger.rejectedByReason]).toEqual([['connection-refused', 2]]);
});
