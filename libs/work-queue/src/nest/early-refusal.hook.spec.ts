import 'reflect-metadata';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { toNotice } from '../errors/refusal.js';
import { earlyRefusalHook, type Gate } from './early-refusal.hook.js';
import { FASTIFY_ROUTE_CONFIG } from './fastify.port.js';
import { RefusesEarly } from './refuses-early.decorator.js';

const BODY_LIMIT = 100_000;
const REQUEST_TIMEOUT_MS = 300;
const CHECK_MS = 50;
/** What the kernels of both sides may hold of an upload that nobody reads. */
const SOCKET_BUFFERS = 16_000_000;

const NOTICE = toNotice({
  reason: 'queue-full',
  queue: 'jobs',
  messageId: 'id-1',
  because: 'full',
  retryAfterMs: 500,
});
const REFUSED = { preadmit: () => ({ refusal: NOTICE }) };

class Route {
  @RefusesEarly('jobs')
  accept(this: void): void {}
}

const config: object = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG, Route.prototype.accept);

let app: FastifyInstance;
let sockets: Socket[];

beforeEach(() => {
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await app.close();
});

/** `POST /jobs` behind the gate, which says what it read; `POST /other` that has none. */
async function start(gate: Gate): Promise<void> {
  app = fastify({
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Node takes the longer of the two for the whole request, whichever it is.
    http: { headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: CHECK_MS },
  });
  app.addHook('onRequest', earlyRefusalHook(new Map([['jobs', gate]])));
  app.post('/jobs', { config }, (request) => `read ${JSON.stringify(request.body).length}`);
  app.post('/silent', () => new Promise(() => undefined));
  app.post('/other', (request) => `read ${JSON.stringify(request.body).length}`);
  await app.listen({ port: 0, host: '127.0.0.1' });
}

class Client {
  received = '';

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => (this.received += chunk.toString('latin1')));
    socket.on('error', () => undefined);
  }

  static async connect(): Promise<Client> {
    const { port } = app.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    const client = new Client(socket);
    await once(socket, 'connect');
    return client;
  }

  async until(text: string): Promise<void> {
    while (!this.received.includes(text)) await once(this.socket, 'data');
  }

  /** Writes as long as the other side takes it, at most `total` bytes. @returns how many it took */
  async upload(chunk: string, total: number): Promise<number> {
    let written = 0;
    while (written < total && !this.socket.destroyed) {
      written += chunk.length;
      if (!this.socket.write(chunk)) {
        await Promise.race([once(this.socket, 'drain'), once(this.socket, 'close')]).catch(() => undefined);
      }
    }
    return written;
  }
}

function head(path: string, headers: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n${headers}\r\n\r\n`;
}

function json(bytes: number): string {
  return JSON.stringify('x'.repeat(bytes - 2));
}

describe('a refusal before the body is read', () => {
  it('leaves the connection to the next request, whatever was still to come of the body', async () => {
    await start(REFUSED);
    const client = await Client.connect();
    client.socket.write(head('/jobs', 'Content-Length: 30000'));
    await client.until('"id-1"');
    expect(client.received).toMatch(/^HTTP\/1\.1 503 .*\r\n(.*\r\n)*retry-after: 1\r\n/);
    client.socket.write(json(30_000) + head('/other', 'Content-Length: 50') + json(50));
    await client.until('read 50');
    expect(client.received).not.toContain('read 30000');
  });

  it('leaves the connection to the next request after a chunked body within the limit', async () => {
    await start(REFUSED);
    const client = await Client.connect();
    const chunk = `${(30_000).toString(16)}\r\n${json(30_000)}\r\n0\r\n\r\n`;
    client.socket.write(head('/jobs', 'Transfer-Encoding: chunked') + chunk);
    await client.until('"id-1"');
    client.socket.write(head('/other', 'Content-Length: 50') + json(50));
    await client.until('read 50');
    expect(client.received).not.toContain('read 30000');
  });

  it.each([
    ['of a gigabyte', 'Content-Length: 1000000000', 'x'.repeat(65_536)],
    ['in chunks without an end', 'Transfer-Encoding: chunked', `10000\r\n${'x'.repeat(65_536)}\r\n`],
  ])('cuts off an upload %s, after its answer', async (_kind, header, chunk) => {
    await start(REFUSED);
    const client = await Client.connect();
    client.socket.write(head('/jobs', header));
    await client.until('"id-1"');
    expect(await client.upload(chunk, 1_000_000_000)).toBeLessThan(BODY_LIMIT + SOCKET_BUFFERS);
    expect(client.socket.destroyed).toBe(true);
  });

  it.each([
    ['of a known length', 'Content-Length: 1000', 'x'],
    ['in chunks', 'Transfer-Encoding: chunked', '1\r\nx\r\n'],
  ])('cuts off a body %s that trickles, after the request timeout', async (_kind, header, drop) => {
    await start(REFUSED);
    const client = await Client.connect();
    const startedAt = Date.now();
    client.socket.write(head('/jobs', header));
    await client.until('"id-1"');
    const trickle = setInterval(() => client.socket.write(drop), CHECK_MS);
    await once(client.socket, 'close');
    clearInterval(trickle);
    expect(Date.now() - startedAt).toBeLessThan(REQUEST_TIMEOUT_MS + 1_500);
  });
});

describe('a pass', () => {
  let ends: number;
  let ended: Promise<void>;

  beforeEach(async () => {
    ends = 0;
    let resolve: () => void;
    ended = new Promise((settle) => (resolve = settle));
    const end = (): void => {
      ends++;
      resolve();
    };
    await start({ preadmit: () => ({ pass: { end } }) });
  });

  it('ends once when the request was answered, while its connection lives on', async () => {
    const client = await Client.connect();
    client.socket.write(head('/jobs', 'Content-Length: 50') + json(50));
    await client.until('read 50');
    await ended;
    expect(client.socket.destroyed).toBe(false);
    client.socket.destroy();
    await once(client.socket, 'close');
    await app.close();
    expect(ends).toBe(1);
  });

  it('ends once when the client goes before its body is complete', async () => {
    const client = await Client.connect();
    const seen = once(app.server, 'request');
    client.socket.write(head('/jobs', 'Content-Length: 50') + '"x');
    await seen;
    client.socket.destroy();
    await ended;
    await app.close();
    expect(ends).toBe(1);
  });

  it('ends once when the client is too slow', async () => {
    const client = await Client.connect();
    client.socket.write(head('/jobs', 'Content-Length: 50') + '"x');
    await once(client.socket, 'close');
    await ended;
    await app.close();
    expect(ends).toBe(1);
  });

  it('ends once when the connection breaks while its answer waits behind another', async () => {
    const client = await Client.connect();
    const request = head('/jobs', 'Content-Length: 50');
    const seen = new Promise<void>((resolve) => {
      let requests = 0;
      app.server.on('request', () => ++requests === 2 && resolve());
    });
    // The first never answers; the second is answered and cannot go out.
    client.socket.write(head('/silent', 'Content-Length: 50') + json(50) + request + json(50));
    await seen;
    client.socket.destroy();
    await ended;
    await app.close();
    expect(ends).toBe(1);
  });

  it('ends when the request was injected', async () => {
    const response = await app.inject({ method: 'POST', url: '/jobs', payload: { a: 1 } });
    expect(response.statusCode).toBe(200);
    await ended;
    expect(ends).toBe(1);
  });
});
