import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { RecordingTelemetry } from '../../../../test/support/fake-broker.js';
import { ConnectError } from '../errors/connect.error.js';
import { parseBrokerUrl } from './broker-url.js';
import { ReconnectingConnection } from './reconnecting-connection.js';

const cleanUps: Array<() => Promise<unknown>> = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

/** A TCP server that is no broker. */
async function listen(onSocket: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, server, sockets };
}

function connectionTo(port: number, startTimeoutMs: number) {
  const telemetry = new RecordingTelemetry();
  const url = parseBrokerUrl(`amqp://ann:secret@127.0.0.1:${port}`, 'RABBITMQ_URL');
  const connection = new ReconnectingConnection({
    url,
    name: 'test',
    startTimeoutMs,
    telemetry,
    random: () => 0.5,
  });
  cleanUps.push(() => connection.close());
  return { connection, telemetry };
}

async function failureOf(opening: Promise<void>): Promise<string> {
  const error: unknown = await opening.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConnectError);
  return error instanceof Error ? error.message : '';
}

describe('connecting to something that is no broker', () => {
  it('gives up at the start deadline when it accepts and says nothing, and leaves no socket', async () => {
    const { port, sockets } = await listen((socket) => socket.resume());
    const startedAt = performance.now();
    const message = await failureOf(connectionTo(port, 100).connection.open());
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(message).toMatch(
      /^RabbitMQ at amqp:\/\/127\.0\.0\.1:\d+ cannot be reached: no answer within \d+ ms/,
    );
    await Promise.all([...sockets].map((socket) => once(socket, 'close')));
  });

  it('tries again until the start deadline when it closes at once', async () => {
    const { port } = await listen((socket) => socket.end());
    const { connection, telemetry } = connectionTo(port, 300);
    const message = await failureOf(connection.open());
    expect(message).toContain('cannot be reached');
    expect(message).not.toContain('secret');
    const lost = telemetry.named('connection.lost');
    expect(lost.length).toBeGreaterThan(1);
    expect(lost.map(({ attempt }) => attempt)).toEqual(lost.map((_event, index) => index + 1));
  });

  it('says that it is no AMQP when it speaks another protocol', async () => {
    const { port } = await listen((socket) =>
      socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
    );
    expect(await failureOf(connectionTo(port, 50).connection.open())).toMatch(
      /cannot be reached: .* Check RABBITMQ_URL/,
    );
  });

  it('says that nobody is there', async () => {
    const { port, server } = await listen(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    expect(await failureOf(connectionTo(port, 50).connection.open())).toContain('ECONNREFUSED');
  });
});

describe('closing a connection', () => {
  it('ends an attempt to connect at once, and its socket with it', async () => {
    let accepted: (socket: Socket) => void = () => undefined;
    const accepting = new Promise<Socket>((resolve) => (accepted = resolve));
    const { port } = await listen((socket) => accepted(socket.resume()));
    const { connection } = connectionTo(port, 60_000);
    const opening = failureOf(connection.open());
    const socket = await accepting;
    const socketClosed = once(socket, 'close');
    await connection.close();
    expect(await opening).toBe('the connection was closed');
    await socketClosed;
    expect(connection.state).toEqual({ kind: 'closed' });
  });

  it('ends the wait for the next attempt at once', async () => {
    const { port } = await listen((socket) => socket.end());
    const { connection, telemetry } = connectionTo(port, 60_000);
    const waiting = new Promise<void>((resolve) => {
      telemetry.on('connection.lost', ({ retryInMs }) => {
        if (retryInMs >= 400) resolve();
      });
    });
    const opening = failureOf(connection.open());
    await waiting;
    const closedAt = performance.now();
    await connection.close();
    expect(await opening).toBe('the connection was closed');
    expect(performance.now() - closedAt).toBeLessThan(300);
  });

  it('ends whoever waits for it to open', async () => {
    const { connection } = connectionTo(1, 50);
    const waiting = connection.whenOpen();
    await connection.close();
    await expect(waiting).rejects.toThrow('the connection was closed');
    await expect(connection.whenOpen()).rejects.toThrow('the connection was closed');
  });
});

describe('waiting for a connection', () => {
  it('ends with the signal', async () => {
    const { connection } = connectionTo(1, 50);
    const abort = new AbortController();
    const waiting = connection.whenOpen(abort.signal);
    abort.abort(new Error('stopping'));
    await expect(waiting).rejects.toThrow('stopping');
    await expect(connection.whenOpen(abort.signal)).rejects.toThrow('stopping');
  });

  it('is what callers have to do: there is no channel without one', async () => {
    const { connection } = connectionTo(1, 50);
    await expect(connection.openPublishChannel()).rejects.toThrow(
      'no connection to amqp://127.0.0.1:1 at the moment',
    );
    await expect(connection.inspectQueue('orders')).rejects.toThrow(ConnectError);
  });
});
