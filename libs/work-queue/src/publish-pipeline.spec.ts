import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  endFakeTime,
  FakeConnection,
  fakeableTimers,
  outgoing,
  settled,
} from '../../../test/support/fake-broker.js';
import type { ConfirmAnswer } from './broker/broker.port.js';
import { resolveSettings, type WorkQueueOptions } from './config/settings.js';
import { BrokerUnavailableError } from './errors/broker-unavailable.error.js';
import { ConfigurationError } from './errors/configuration.error.js';
import { ConfirmTimeoutError } from './errors/confirm-timeout.error.js';
import { IdempotencyConflictError } from './errors/idempotency-conflict.error.js';
import { MessageTooLargeError } from './errors/message-too-large.error.js';
import { QueueFullError } from './errors/queue-full.error.js';
import { jsonCodec } from './message/json.codec.js';
import type { PublishPipeline as Pipeline } from './publish-pipeline.js';
import { Telemetry } from './telemetry/telemetry.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { PublishPipeline } = await import('./publish-pipeline.js');

const QUEUES = {
  orders: { maxLength: 100, concurrency: 2 },
  feed: { maxLength: 100, overflow: 'drop-head' },
};

let opened: { pipeline: Pipeline; connection: FakeConnection } | undefined;

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(async () => {
  opened?.connection.lose('the test is over');
  await opened?.pipeline.close(1_000);
  endFakeTime();
});

async function setUp(options: WorkQueueOptions = {}) {
  const config = { limits: 'arguments', queues: QUEUES };
  const settings = await resolveSettings({ config, queues: ['orders', 'feed'], ...options }, {});
  const connection = new FakeConnection();
  const look = new FakeConnection();
  const pipeline = new PublishPipeline(
    settings,
    { publish: connection, look },
    new Telemetry(),
    () => undefined,
  );
  opened = { pipeline, connection };
  /** What becomes of a publish to `orders` that the broker answers so, if it gets it. */
  const publishAnd = async (answer: ConfirmAnswer, payload: unknown = {}, messageId?: string) => {
    const end = pipeline
      .queue('orders')
      .publish(payload, { messageId })
      .catch((error: unknown) => error);
    await settled();
    for (const { sent } of connection.publishChannels) sent.at(-1)?.answer(answer);
    return end;
  };
  return { pipeline, connection, look, publishAnd };
}

describe('the publisher’s side', () => {
  it('has a door for each queue of the process, closed until it is opened', async () => {
    const { pipeline } = await setUp();
    expect(pipeline.closedDoors).toEqual(['orders', 'feed']);
    await pipeline.open('orders', 100);
    expect(pipeline.closedDoors).toEqual(['feed']);
    expect(pipeline.queue('orders').name).toBe('orders');
  });

  it('has no door for other queues, and says where to add one', async () => {
    const { pipeline } = await setUp();
    expect(() => pipeline.queue('mails')).toThrow(ConfigurationError);
    expect(() => pipeline.queue('mails')).toThrow(/"mails": add it to WorkQueueModule\.forRoot/);
  });

  it('warns that messages to a drop-head queue may be dropped', async () => {
    const { pipeline, connection } = await setUp();
    await pipeline.open('feed', 100);
    connection.publishChannel.autoAnswer = 'acked';
    expect(await pipeline.queue('feed').publish({})).toMatchObject({ mayBeDropped: true });
  });

  it('encodes with the codec of the queue', async () => {
    const codec = {
      ...jsonCodec,
      encode: () => ({ body: Buffer.from('encoded'), contentType: 'text/plain' }),
    };
    const { pipeline, connection, publishAnd } = await setUp({ codecs: { orders: codec } });
    await pipeline.open('orders', 100);
    await publishAnd('acked');
    expect(connection.publishChannel.sent[0]?.message).toMatchObject({ body: Buffer.from('encoded') });
  });

  it('publishes copies of any size: what was delivered must not go round for ever', async () => {
    const { pipeline, connection, publishAnd } = await setUp({ maxMessageBytes: 10 });
    const copies = await pipeline.openCopies('orders');
    connection.publishChannel.autoAnswer = 'acked';
    const letter = outgoing({ queue: 'orders.dead', body: Buffer.alloc(11) });
    expect(await copies.publish(letter)).toEqual({ at: 'broker', answer: 'acked' });
    await pipeline.open('orders', 100);
    expect(await publishAnd('acked', Buffer.alloc(11))).toBeInstanceOf(MessageTooLargeError);
  });

  it('closes all doors', async () => {
    const { pipeline, connection } = await setUp();
    await pipeline.open('orders', 100);
    await pipeline.open('feed', 100);
    await pipeline.close(1_000);
    expect(connection.publishChannels.map(({ isOpen }) => isOpen)).toEqual([false, false]);
  });
});

describe('after a nack', () => {
  it('looks at the queue over the connection that no alarm blocks', async () => {
    const { pipeline, connection, look, publishAnd } = await setUp();
    await pipeline.open('orders', 100);
    look.inspect = async () => ({ readyMessages: 100, consumers: 1 });
    expect(await publishAnd('nacked')).toBeInstanceOf(QueueFullError);
    expect([look.inspected, connection.inspected]).toEqual([['orders'], []]);
  });

  it('judges by the limit that was in force when the door opened, or was found later', async () => {
    const { pipeline, look, publishAnd } = await setUp();
    look.inspect = async () => ({ readyMessages: 100, consumers: 0 });
    await pipeline.open('orders', 1_000);
    expect(await publishAnd('nacked')).toBeInstanceOf(BrokerUnavailableError);
    pipeline.limitChanged('orders', 100);
    await jest.advanceTimersByTimeAsync(500);
    expect(await publishAnd('nacked')).toMatchObject({ reason: 'no-workers' });
  });

  it('answers also when the queue never does', async () => {
    const { pipeline, look, publishAnd } = await setUp();
    await pipeline.open('orders', 100);
    look.inspect = () => new Promise(() => undefined);
    const end = publishAnd('nacked');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await end).toBeInstanceOf(BrokerUnavailableError);
  });
});

describe('the bounds of a process', () => {
  it('are kept by each queue: waiting callers', async () => {
    const { pipeline, connection } = await setUp({ maxCallers: 0 });
    await pipeline.open('orders', 100);
    connection.publishChannel.autoAnswer = 'acked';
    expect(await pipeline.queue('orders').request({}, { waitMs: 1_000 })).toMatchObject({
      isDone: false,
      because: 'too-many-waiting',
    });
  });

  it('are kept by each queue: remembered ids', async () => {
    const { pipeline, publishAnd } = await setUp({ recentIds: 1 });
    await pipeline.open('orders', 100);
    await publishAnd('acked', 1, 'a');
    expect(await publishAnd('acked', 2, 'a')).toBeInstanceOf(IdempotencyConflictError);
    await publishAnd('acked', 1, 'b');
    expect(await publishAnd('acked', 2, 'a')).toMatchObject({ id: 'a' });
  });
});

it('a queue whose publishes are not answered is silent until one is', async () => {
  const { pipeline, connection, publishAnd } = await setUp({ confirmTimeoutMs: 100 });
  await pipeline.open('orders', 100);
  const end = pipeline
    .queue('orders')
    .publish({})
    .catch((error: unknown) => error);
  await jest.advanceTimersByTimeAsync(100);
  expect(await end).toBeInstanceOf(ConfirmTimeoutError);
  expect(pipeline.silentDoors).toEqual(['orders']);
  await publishAnd('acked');
  expect(pipeline.silentDoors).toEqual([]);
  connection.publishChannel.sent[0]?.answer('acked');
});

it('callers that wait go on without their results when the process is about to end', async () => {
  const { pipeline, connection } = await setUp();
  await pipeline.open('orders', 100);
  const call = pipeline.queue('orders').request({}, { waitMs: 10_000 });
  await settled();
  connection.publishChannel.sent[0]?.answer('acked');
  pipeline.stopWaiting();
  expect(await call).toMatchObject({ isDone: false, because: 'closing' });
});
