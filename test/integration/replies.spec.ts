import { Injectable } from '@nestjs/common';
import { WorkHandler } from '@spillway/work-queue';
import { type Channel, type ChannelModel, connect, type ConsumeMessage } from 'amqplib';
import { resolveQueueQos, type QueueQos } from '@spillway/qos';
import type { OutgoingMessage, PublishChannel } from '../../libs/work-queue/src/broker/broker.port.js';
import { parseBrokerUrl } from '../../libs/work-queue/src/broker/broker-url.js';
import { ReconnectingConnection } from '../../libs/work-queue/src/broker/reconnecting-connection.js';
import { ConsumePipeline } from '../../libs/work-queue/src/consume-pipeline.js';
import { PermanentFailure } from '../../libs/work-queue/src/errors/permanent-failure.error.js';
import type { MountedHandler } from '../../libs/work-queue/src/execute/work-handler.js';
import { jsonCodec } from '../../libs/work-queue/src/message/json.codec.js';
import { RecordingTelemetry } from '../support/fake-broker.js';
import { Gate, Journal } from '../support/journal.js';
import { takeAll } from '../support/messages.js';
import { NestApplications, SMALL } from '../support/nest-applications.js';
import { readyMessages } from '../support/queue.js';
import { createVhost, type TestVhost } from '../support/vhost.js';

const DIRECT_REPLY_TO = 'amq.rabbitmq.reply-to';

let vhost: TestVhost;
let telemetry: RecordingTelemetry;
let connection: ReconnectingConnection;
let replyConnection: ReconnectingConnection;
let replies: Promise<void>[];
let pipeline: ConsumePipeline;
let caller: Caller;

beforeEach(async () => {
  vhost = await createVhost();
  telemetry = new RecordingTelemetry();
  replies = [];
  connection = await open('work');
  replyConnection = await open('replies');
  for (const queue of ['orders', 'orders.dead', 'payments']) await connection.declareQueue(queue, {});
  pipeline = new ConsumePipeline(connection, telemetry);
  caller = await Caller.connect(vhost.url);
});

afterEach(async () => {
  await caller.leave();
  await pipeline.drain(5_000);
  await replyConnection.close();
  await connection.close();
  await vhost.delete();
});

async function open(name: string): Promise<ReconnectingConnection> {
  const url = parseBrokerUrl(vhost.url, 'RABBITMQ_URL');
  const made = new ReconnectingConnection({ url, name, startTimeoutMs: 5_000, telemetry });
  await made.open();
  return made;
}

/** A client of any language: it knows direct reply-to and nothing of us. */
class Caller {
  private readonly waiting = new Map<string, (reply: ConsumeMessage) => void>();

  private constructor(
    private readonly connection: ChannelModel,
    private readonly channel: Channel,
  ) {}

  static async connect(url: string): Promise<Caller> {
    const amqp = await connect(url);
    const channel = await amqp.createChannel();
    const made = new Caller(amqp, channel);
    await channel.consume(DIRECT_REPLY_TO, (reply) => reply && made.received(reply), { noAck: true });
    return made;
  }

  call(correlationId: string, payload: unknown, options: object = {}): Promise<ConsumeMessage> {
    return new Promise((resolve) => {
      this.waiting.set(correlationId, resolve);
      const properties = { replyTo: DIRECT_REPLY_TO, correlationId, ...options };
      this.channel.sendToQueue('orders', Buffer.from(JSON.stringify(payload)), properties);
    });
  }

  /** Twice is once. */
  async leave(): Promise<void> {
    await this.connection.close().catch(() => undefined);
  }

  private received(reply: ConsumeMessage): void {
    this.waiting.get(String(reply.properties.correlationId))?.(reply);
  }
}

async function work(invoke: MountedHandler['invoke']): Promise<void> {
  const handler: MountedHandler = {
    queue: 'orders',
    label: 'Orders.take',
    payloadType: undefined,
    prefetch: undefined,
    concurrency: undefined,
    invoke,
  };
  const deadLetters = await connection.openPublishChannel();
  const toCallers = await replyConnection.openPublishChannel();
  const qos = ordersQos();
  await pipeline.start(handler, {
    qos,
    codec: jsonCodec,
    bounds: pipeline.reserve(handler, qos),
    publishDeadLetter: (letter) => publish(deadLetters, letter),
    publishReply: (reply) => {
      const sent = publish(toCallers, reply);
      replies.push(sent);
      return sent;
    },
  });
}

function ordersQos(): QueueQos {
  const resolved = resolveQueueQos('orders', { maxLength: 100, maxAttempts: 1, concurrency: 2 });
  if (!resolved.ok) throw new Error(resolved.problems.map(({ message }) => message).join());
  return resolved.qos;
}

function publish(channel: PublishChannel, message: OutgoingMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.publish(message, {
      messageId: message.messageId,
      answered: (answer) => (answer === 'acked' ? resolve() : reject(new Error(answer))),
    });
  });
}

function nextSettled(): Promise<unknown> {
  return new Promise((resolve) => telemetry.on('job.settled', resolve));
}

it('each caller learns what the handler returned for it', async () => {
  await work(async (payload) => ({ youSaid: payload }));
  const answers = await Promise.all([caller.call('a', 'one'), caller.call('b', 'two')]);
  expect(answers.map(({ content }) => JSON.parse(content.toString()))).toEqual([
    { youSaid: 'one' },
    { youSaid: 'two' },
  ]);
  expect(answers[0]?.properties).toMatchObject({ contentType: 'application/json', correlationId: 'a' });
});

it('a caller learns of a handler that returned nothing', async () => {
  await work(async () => undefined);
  const { content, properties } = await caller.call('a', 'one');
  expect(content).toHaveLength(0);
  expect(properties.contentType).toBeUndefined();
  expect(properties.headers).not.toHaveProperty('x-reply-failed');
});

it('a caller learns why its work was dead-lettered but not what the error said', async () => {
  await work(() => Promise.reject(new PermanentFailure('password "hunter2" was refused')));
  const { content, properties } = await caller.call('a', 'one');
  expect(JSON.parse(content.toString())).toEqual({ error: 'PermanentFailure' });
  expect(properties.headers).toMatchObject({ 'x-reply-failed': 'permanent' });
  expect(await takeAll(vhost.url, 'orders.dead')).toMatchObject([
    { payload: 'one', headers: { 'x-dead-reason': 'permanent' } },
  ]);
});

it('work that comes too late is not started, and its caller learns that', async () => {
  const started: unknown[] = [];
  await work(async (payload) => void started.push(payload));
  const { properties } = await caller.call('a', 'one', { headers: { 'x-deadline': Date.now() - 1 } });
  expect(properties.headers).toMatchObject({ 'x-reply-failed': 'expired' });
  expect(started).toEqual([]);
});

it('no publisher can have a reply sent to a queue', async () => {
  await work(async () => 'done');
  const settled = nextSettled();
  void caller.call('a', 'one', { replyTo: 'payments' });
  await settled;
  // Replies leave in order, so one to the first would have been stored before this arrives.
  await caller.call('b', 'two');
  expect(await readyMessages(vhost.url, 'payments')).toBe(0);
});

it('a caller that leaves while its work is done is nobody’s trouble', async () => {
  const journal = new Journal();
  const left = new Gate();
  await work(async () => {
    journal.write('started');
    await left.opened;
  });
  const settled = nextSettled();
  void caller.call('a', 'one');
  await journal.until('started');
  await caller.leave();
  left.open();
  await expect(settled).resolves.toMatchObject({ end: 'succeeded' });
  // The broker confirms it like any other.
  await expect(Promise.all(replies)).resolves.toHaveLength(1);
});

it('an address that the broker cannot read costs no work', async () => {
  await work((payload) =>
    payload === 'good' ? Promise.resolve() : Promise.reject(new PermanentFailure('bad')),
  );
  const settled = nextSettled();
  void caller.call('a', 'good', { replyTo: `${DIRECT_REPLY_TO}.forged.key` });
  await expect(settled).resolves.toMatchObject({ end: 'succeeded' });
  // Newer brokers than 3.10.8 may take it; either way it ends.
  await Promise.allSettled(replies);
  const next = nextSettled();
  void caller.call('b', 'bad');
  await expect(next).resolves.toMatchObject({ end: 'dead-lettered' });
  expect(await readyMessages(vhost.url, 'orders.dead')).toBe(1);
});

@Injectable()
class Orders {
  @WorkHandler('orders')
  take(payload: string): { youSaid: string } {
    return { youSaid: payload };
  }
}

it('a caller learns what a @WorkHandler method returned', async () => {
  const apps = await NestApplications.create();
  await apps.start({ imports: [apps.workQueue({ orders: SMALL })], providers: [Orders] });
  const client = await Caller.connect(apps.vhost.url);
  try {
    const { content } = await client.call('a', 'one');
    expect(JSON.parse(content.toString())).toEqual({ youSaid: 'one' });
  } finally {
    await client.leave();
    await apps.close();
  }
});
