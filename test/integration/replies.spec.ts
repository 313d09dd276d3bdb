import { Injectable } from '@nestjs/common';
import { type JobSettled, WorkHandler, WorkQueueRuntime } from '@spillway/work-queue';
import { type Channel, type ChannelModel, connect, type ConsumeMessage } from 'amqplib';
import { resolveSettings } from '../../libs/work-queue/src/config/settings.js';
import { PermanentFailure } from '../../libs/work-queue/src/errors/permanent-failure.error.js';
import type { WorkContext } from '../../libs/work-queue/src/execute/work-context.js';
import { RecordingTelemetry } from '../support/fake-broker.js';
import { Gate, Journal } from '../support/journal.js';
import { takeAll } from '../support/messages.js';
import { NestApplications, SMALL } from '../support/nest-applications.js';
import { readyMessages } from '../support/queue.js';
import { createVhost, type TestVhost } from '../support/vhost.js';

const DIRECT_REPLY_TO = 'amq.rabbitmq.reply-to';

let vhost: TestVhost;
let telemetry: RecordingTelemetry;
let runtime: WorkQueueRuntime;
let caller: Caller;

beforeEach(async () => {
  vhost = await createVhost();
  telemetry = new RecordingTelemetry();
  const { url, managementUrl } = vhost;
  const config = { queues: { orders: SMALL, payments: SMALL } };
  const options = { url, managementUrl, queues: ['payments'], config };
  runtime = new WorkQueueRuntime(await resolveSettings(options, {}), telemetry);
  await runtime.start();
  caller = await Caller.connect(vhost.url);
});

afterEach(async () => {
  await caller.leave();
  await runtime.close();
  await vhost.delete();
});

/** A client of any language: it knows direct reply-to and nothing of us. */
class Caller {
  /** The correlation ids of all replies. */
  readonly received: string[] = [];
  private readonly waiting = new Map<string, (reply: ConsumeMessage) => void>();

  private constructor(
    private readonly connection: ChannelModel,
    private readonly channel: Channel,
  ) {}

  static async connect(url: string): Promise<Caller> {
    const amqp = await connect(url);
    const channel = await amqp.createChannel();
    const made = new Caller(amqp, channel);
    await channel.consume(DIRECT_REPLY_TO, (reply) => reply && made.receive(reply), { noAck: true });
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

  private receive(reply: ConsumeMessage): void {
    const correlationId = String(reply.properties.correlationId);
    this.received.push(correlationId);
    this.waiting.get(correlationId)?.(reply);
  }
}

async function work(invoke: (payload: unknown, context: WorkContext) => Promise<unknown>): Promise<void> {
  await runtime.consume({
    queue: 'orders',
    label: 'Orders.take',
    payloadType: undefined,
    prefetch: undefined,
    concurrency: undefined,
    invoke: (payload, context) => {
      if ('items' in context) throw new TypeError('orders come one at a time');
      return invoke(payload, context);
    },
  });
}

function nextSettled(): Promise<JobSettled> {
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

it('a caller gets its result also when the work succeeded at its second attempt', async () => {
  const attempts: number[] = [];
  await work(async (payload, { attempt }) => {
    attempts.push(attempt);
    if (attempt === 1) throw new Error('the bank is away');
    return { youSaid: payload };
  });
  const { content, properties } = await caller.call('a', 'one', { messageId: 'id-7' });
  expect(JSON.parse(content.toString())).toEqual({ youSaid: 'one' });
  expect(properties).toMatchObject({ correlationId: 'a', messageId: 'id-7' });
  expect(properties.headers).not.toHaveProperty('x-reply-failed');
  expect(attempts).toEqual([1, 2]);
  expect(telemetry.named('job.settled').map(({ end }) => end)).toEqual(['retried', 'succeeded']);
});

it('a caller learns of a failure once, after the last attempt', async () => {
  await work(() => Promise.reject(new RangeError('the bank is away')));
  const { content, properties } = await caller.call('a', 'one');
  expect(JSON.parse(content.toString())).toEqual({ error: 'RangeError' });
  expect(caller.received).toEqual(['a']);
  expect(properties.headers).toMatchObject({ 'x-reply-failed': 'failed' });
  expect(telemetry.named('job.settled').map(({ end }) => end)).toEqual(['retried', 'dead-lettered']);
  expect(await takeAll(vhost.url, 'orders.dead')).toMatchObject([{ headers: { 'x-dead-attempts': 2 } }]);
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
  await work(async (payload) => {
    if (payload !== 'slow') return;
    journal.write('started');
    await left.opened;
  });
  const other = await Caller.connect(vhost.url);
  try {
    // The connection for replies is open from here on.
    await other.call('b', 'quick');
    const settled = nextSettled();
    void caller.call('a', 'slow');
    await journal.until('started');
    await caller.leave();
    left.open();
    await expect(settled).resolves.toMatchObject({ end: 'succeeded' });
    // Replies leave in order.
    await other.call('c', 'quick');
  } finally {
    await other.leave();
  }
  await runtime.close();
  expect(telemetry.named('reply.lost')).toEqual([]);
});

it('an address that the broker cannot read costs no work', async () => {
  await work((payload) =>
    payload === 'good' ? Promise.resolve() : Promise.reject(new PermanentFailure('bad')),
  );
  const settled = nextSettled();
  void caller.call('a', 'good', { replyTo: `${DIRECT_REPLY_TO}.forged.key` });
  await expect(settled).resolves.toMatchObject({ end: 'succeeded' });
  // Newer brokers than 3.10.8 may take it; either way nothing but that reply is lost.
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
