import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { System } from '../support/system.js';
import { until } from '../support/until.js';
import { postWebhook } from '../support/webhooks.js';

const HEADERS_TIMEOUT_MS = 500;
const REQUEST_TIMEOUT_MS = 1_000;
const MAX_CONNECTIONS = 5;
/** The gateway looks for overdue connections once a second. */
const CHECK_MS = 1_500;

describe('a client that is slow or greedy', () => {
  let system: System;
  let gateway: URL;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    system = await System.create({ maxLength: 100, serviceTime: '5ms', type: 'classic' });
    const { url } = await system.startGateway({
      HEADERS_TIMEOUT_MS: String(HEADERS_TIMEOUT_MS),
      REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS),
      MAX_CONNECTIONS: String(MAX_CONNECTIONS),
    });
    gateway = new URL(url);
  }, 60_000);

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  afterAll(() => system.close());

  it('that never ends its headers is let go after the headers timeout', async () => {
    const socket = await open();
    const startedAt = Date.now();
    socket.write('POST /webhooks/github HTTP/1.1\r\nHost: gateway\r\n');
    await once(socket, 'close');
    expect(Date.now() - startedAt).toBeLessThan(HEADERS_TIMEOUT_MS + CHECK_MS + 500);
  }, 20_000);

  it('that never ends its body is let go after the request timeout', async () => {
    const socket = await open();
    const startedAt = Date.now();
    socket.write(
      'POST /webhooks/github HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":',
    );
    await once(socket, 'close');
    expect(Date.now() - startedAt).toBeLessThan(REQUEST_TIMEOUT_MS + CHECK_MS + 500);
  }, 20_000);

  it('that opens more connections than allowed has those beyond closed, and others are served afterwards', async () => {
    const held = await Promise.all(Array.from({ length: MAX_CONNECTIONS }, () => open()));
    const beyond = await open();
    await once(beyond, 'close');
    expect(held.every((socket) => !socket.closed)).toBe(true);
    const closed = held.map((socket) => once(socket, 'close'));
    for (const socket of held) socket.destroy();
    await Promise.all(closed);
    // The gateway counts a connection until it has seen its end, a moment after us.
    await until(async () => ((await isServed(gateway.origin)) ? undefined : 'not served'));
  }, 20_000);

  it('that has sent half a request does not keep the gateway from ending', async () => {
    const { app, url } = await system.startGateway({ REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS) });
    const socket = await open(new URL(url));
    socket.write('POST /webhooks/github HTTP/1.1\r\nHost: gateway\r\nContent-Length: 100\r\n\r\n{"a":');
    // The gateway has the half request once it answers another connection that came after it.
    expect((await postWebhook(url)).status).toBe(202);
    const startedAt = Date.now();
    app.signal('SIGTERM');
    expect(await app.exited).toBe(0);
    expect(Date.now() - startedAt).toBeLessThan(REQUEST_TIMEOUT_MS + 2_000);
  }, 30_000);

  async function open(server = gateway): Promise<Socket> {
    const socket = connect(Number(server.port), server.hostname);
    sockets.push(socket);
    socket.on('error', () => undefined);
    // Without a reader 'close' never comes after the other side's end.
    socket.resume();
    await once(socket, 'connect');
    return socket;
  }
});

async function isServed(url: string): Promise<boolean> {
  const answer = await postWebhook(url).catch(() => undefined);
  return answer?.status === 202;
}
