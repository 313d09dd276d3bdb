import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fakeableTimers, outgoing, RecordingTelemetry } from '../../../../../test/support/fake-broker.js';
import type { ConfirmAnswer, PublishChannel } from '../broker.port.js';
import { parseBrokerUrl } from '../broker-url.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { AmqpConnection } = await import('./amqp-connection.js');
const { ReconnectingConnection } = await import('../reconnecting-connection.js');

/** The wire format as the client library knows it, from the other end. */
interface Wire {
  readonly decodeFrame: (frame: unknown) => Frame;
  readonly parseFrame: (bytes: Buffer, max: number) => false | { readonly rest: Buffer };
  readonly defs: { readonly encodeMethod: (id: number, channel: number, fields: object) => Buffer } & Record<
    string,
    number
  >;
}

interface Frame {
  readonly id: number | undefined;
  readonly channel: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

const require = createRequire(import.meta.url);
const library = join(dirname(require.resolve('amqplib')), 'lib');
const { decodeFrame, parseFrame } = require(join(library, 'frame.js')) as Wire;
const defs = require(join(library, 'defs.js')) as Wire['defs'];

const CLOSE = { replyCode: 320, replyText: 'CONNECTION_FORCED', classId: 0, methodId: 0 };

type Reply = (frame: Frame, broker: ScriptedBroker) => void;

/** Speaks just enough AMQP. What it says to each method can be replaced; an empty reply is silence. */
class ScriptedBroker {
  readonly replies = new Map<string, Reply>([
    [
      'ConnectionStartOk',
      () => this.send('ConnectionTune', 0, { channelMax: 100, frameMax: 131_072, heartbeat: 0 }),
    ],
    ['ConnectionTuneOk', () => undefined],
    ['ConnectionOpen', () => this.send('ConnectionOpenOk', 0, {})],
    ['ConnectionClose', () => this.send('ConnectionCloseOk', 0, {})],
    ['ConnectionCloseOk', () => undefined],
    ['ChannelOpen', ({ channel }) => this.send('ChannelOpenOk', channel, {})],
    ['ChannelClose', ({ channel }) => this.send('ChannelCloseOk', channel, {})],
    ['ChannelCloseOk', () => undefined],
    ['ConfirmSelect', ({ channel }) => this.send('ConfirmSelectOk', channel, {})],
    ['BasicQos', ({ channel }) => this.send('BasicQosOk', channel, {})],
    [
      'BasicConsume',
      ({ channel, fields }) => this.send('BasicConsumeOk', channel, { consumerTag: fields.consumerTag }),
    ],
    ['BasicPublish', () => undefined],
    ['QueueDeclare', ({ channel, fields }) => this.declared(channel, String(fields.queue))],
  ]);
  readonly received: string[] = [];
  private readonly server: Server;
  private readonly watchers = new Set<() => void>();
  private socket?: Socket;

  constructor() {
    this.server = createServer((socket) => {
      this.socket = socket;
      socket.on('error', () => undefined);
      socket.on('end', () => socket.end());
      let rest: Buffer = Buffer.alloc(0);
      socket.once('data', () => {
        this.send('ConnectionStart', 0, {
          versionMajor: 0,
          versionMinor: 9,
          serverProperties: {},
          mechanisms: Buffer.from('PLAIN'),
          locales: Buffer.from('en_US'),
        });
        socket.on('data', (bytes) => {
          rest = Buffer.concat([rest, bytes]);
          for (let frame = parseFrame(rest, 0); frame; frame = parseFrame(rest, 0)) {
            rest = frame.rest;
            this.handle(decodeFrame(frame));
          }
        });
      });
    });
  }

  async listen(): Promise<number> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  send(method: string, channel: number, fields: object): void {
    this.socket?.write(defs.encodeMethod(defs[method] ?? 0, channel, fields));
  }

  /** Lets all that `write` sends go out in one segment. */
  together(write: () => void): void {
    this.socket?.cork();
    write();
    this.socket?.uncork();
  }

  /** The cable is pulled. */
  reset(): void {
    this.socket?.resetAndDestroy();
  }

  /** Resolves once the method has come in so many times. */
  async saw(method: string, times = 1): Promise<void> {
    while (this.received.filter((name) => name === method).length < times) {
      await new Promise<void>((resolve) => this.watchers.add(resolve));
    }
  }

  async socketClosed(): Promise<void> {
    if (this.socket && !this.socket.closed) await once(this.socket, 'close');
  }

  async close(): Promise<void> {
    this.socket?.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private declared(channel: number, queue: string): void {
    const refusal = { replyCode: 404, replyText: 'NOT_FOUND', classId: 50, methodId: 10 };
    if (queue.startsWith('missing')) this.send('ChannelClose', channel, refusal);
    else this.send('QueueDeclareOk', channel, { queue, messageCount: 7, consumerCount: 1 });
  }

  private handle(frame: Frame): void {
    const [name, reply] = [...this.replies].find(([method]) => defs[method] === frame.id) ?? [];
    if (!name || !reply) return;
    this.received.push(name);
    reply(frame, this);
    for (const wake of this.watchers) wake();
    this.watchers.clear();
  }
}

const cleanUps: Array<() => Promise<void>> = [];

afterEach(async () => {
  jest.useRealTimers();
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startBroker() {
  const broker = new ScriptedBroker();
  const url = parseBrokerUrl(`amqp://127.0.0.1:${await broker.listen()}`, 'RABBITMQ_URL');
  cleanUps.push(() => broker.close());
  return { broker, url };
}

async function setUp() {
  const { broker, url } = await startBroker();
  const { signal } = new AbortController();
  const connection = await AmqpConnection.open({
    url,
    name: 'test',
    heartbeatSeconds: 0,
    connectTimeoutMs: 5_000,
    signal,
  });
  return { broker, connection };
}

/** What becomes of one publish. */
function answerTo(channel: PublishChannel): Promise<ConfirmAnswer> {
  return new Promise((answered) => channel.publish(outgoing(), { messageId: 'id-1', answered }));
}

/** Time stands still but for sockets. */
function ownTime(): void {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
}

describe('connecting', () => {
  it('fails when the broker closes in the same breath as it opens', async () => {
    const { broker, url } = await startBroker();
    broker.replies.set('ConnectionOpen', () =>
      broker.together(() => {
        broker.send('ConnectionOpenOk', 0, {});
        broker.send('ConnectionClose', 0, CLOSE);
      }),
    );
    const { signal } = new AbortController();
    const opening = AmqpConnection.open({
      url,
      name: 'test',
      heartbeatSeconds: 0,
      connectTimeoutMs: 5_000,
      signal,
    });
    await expect(opening).rejects.toThrow('Connection closed');
    await broker.socketClosed();
  });
});

describe('opening a channel', () => {
  it.each([
    ['openPublishChannel', 'ConfirmSelect', 'ConfirmSelectOk'],
    ['openConsumeChannel', 'ChannelOpen', 'ChannelOpenOk'],
  ] as const)(
    '(%s) tells that it is closed also when the connection goes in the same breath',
    async (open, method, ok) => {
      const { broker, connection } = await setUp();
      broker.replies.set(method, ({ channel }) =>
        broker.together(() => {
          broker.send(ok, channel, {});
          broker.send('ConnectionClose', 0, CLOSE);
        }),
      );
      const channel = await connection[open]();
      expect(await channel.closed).toContain('CONNECTION_FORCED');
      expect(channel.isOpen).toBe(false);
      await connection.close();
    },
  );
});

describe('publishing on a channel', () => {
  it.each([
    ['acked', 'BasicAck', {}],
    ['nacked', 'BasicNack', { requeue: true }],
  ])('is %s when the broker says so', async (answer, method, fields) => {
    const { broker, connection } = await setUp();
    broker.replies.set('BasicPublish', ({ channel }) =>
      broker.send(method, channel, { deliveryTag: 1, multiple: false, ...fields }),
    );
    const channel = await connection.openPublishChannel();
    expect(await answerTo(channel)).toBe(answer);
    await connection.close();
  });

  it('is lost when the connection goes before the answer', async () => {
    const { broker, connection } = await setUp();
    const channel = await connection.openPublishChannel();
    const answer = answerTo(channel);
    await broker.saw('BasicPublish');
    broker.reset();
    expect(await answer).toBe('lost');
    expect(channel.isOpen).toBe(false);
    expect(await answerTo(channel)).toBe('lost');
    await connection.ended;
    await connection.close();
  });

  it('throws on what AMQP cannot carry, which is not to be mistaken for an unknown outcome', async () => {
    const { connection } = await setUp();
    const channel = await connection.openPublishChannel();
    const answered = jest.fn();
    expect(() =>
      channel.publish(outgoing({ headers: { big: 10n } }), { messageId: 'id-1', answered }),
    ).toThrow('Unknown type to encode: bigint');
    expect(channel.isOpen).toBe(true);
    await channel.idle();
    expect(answered).not.toHaveBeenCalled();
    await connection.close();
  });
});

describe('looking at queues', () => {
  it('tells what is ready and who consumes, and of a missing queue that it is missing', async () => {
    const { connection } = await setUp();
    expect(await connection.inspectQueue('orders')).toEqual({ readyMessages: 7, consumers: 1 });
    expect(await connection.inspectQueue('missing')).toBeUndefined();
    expect(await connection.inspectQueue('orders')).toEqual({ readyMessages: 7, consumers: 1 });
    await connection.close();
  });

  it('is not disturbed by another look that found its queue missing', async () => {
    const { connection } = await setUp();
    const names = ['missing-1', 'orders', 'missing-2', 'orders'];
    const readings = await Promise.all(names.map((name) => connection.inspectQueue(name)));
    expect(readings.map((reading) => reading?.readyMessages)).toEqual([undefined, 7, undefined, 7]);
    await connection.close();
  });
});

describe('closing', () => {
  it.each(['openPublishChannel', 'openConsumeChannel'] as const)(
    'a channel (%s) ends when the connection dies before the broker has answered',
    async (open) => {
      const { broker, connection } = await setUp();
      broker.replies.set('ChannelClose', () => undefined);
      const channel = await connection[open]();
      const closing = channel.close();
      await broker.saw('ChannelClose');
      broker.reset();
      await expect(closing).resolves.toBeUndefined();
      await connection.close();
    },
  );

  it('a channel ends also when the broker never answers', async () => {
    const { broker, connection } = await setUp();
    broker.replies.set('ChannelClose', () => undefined);
    const channel = await connection.openConsumeChannel();
    ownTime();
    const closing = channel.close();
    await broker.saw('ChannelClose');
    await jest.advanceTimersByTimeAsync(2_000);
    await expect(closing).resolves.toBeUndefined();
    jest.useRealTimers();
    await connection.close();
  });

  it('a connection ends when it dies before the broker has answered', async () => {
    const { broker, connection } = await setUp();
    broker.replies.set('ConnectionClose', () => undefined);
    const closing = connection.close();
    await broker.saw('ConnectionClose');
    broker.reset();
    await expect(closing).resolves.toBeUndefined();
  });

  it('a connection ends also when the broker never answers, and its socket with it', async () => {
    const { broker, connection } = await setUp();
    broker.replies.set('ConnectionClose', () => undefined);
    ownTime();
    const closing = connection.close();
    await broker.saw('ConnectionClose');
    await jest.advanceTimersByTimeAsync(2_000);
    await expect(closing).resolves.toBeUndefined();
    await broker.socketClosed();
    await connection.ended;
  });
});

describe('a connection that is kept open', () => {
  it('comes back after it was lost, tells when it is blocked, and closes', async () => {
    const { broker, url } = await startBroker();
    const telemetry = new RecordingTelemetry();
    const connection = new ReconnectingConnection({
      url,
      name: 'test',
      startTimeoutMs: 5_000,
      telemetry,
      random: () => 0,
    });
    await connection.open();
    expect(connection.state).toEqual({ kind: 'open' });

    const opened = new Promise<void>((resolve) => telemetry.on('connection.opened', () => resolve()));
    broker.send('ConnectionClose', 0, CLOSE);
    await opened;
    await connection.whenOpen();

    const blocked = new Promise<void>((resolve) => telemetry.on('connection.blocked', () => resolve()));
    broker.send('ConnectionBlocked', 0, { reason: 'low on memory' });
    await blocked;
    expect(connection.state).toEqual({ kind: 'blocked', reason: 'low on memory' });

    const unblocked = new Promise<void>((resolve) => telemetry.on('connection.unblocked', () => resolve()));
    broker.send('ConnectionUnblocked', 0, {});
    await unblocked;
    expect(connection.state).toEqual({ kind: 'open' });

    await connection.close();
    await broker.socketClosed();
    expect(telemetry.events.map(({ name }) => name)).toEqual([
      'connection.opened',
      'connection.lost',
      'connection.opened',
      'connection.blocked',
      'connection.unblocked',
    ]);
    expect(telemetry.named('connection.lost')).toMatchObject([
      { reason: expect.stringContaining('CONNECTION_FORCED'), attempt: 0 },
    ]);
  });
});
