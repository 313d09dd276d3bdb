import { describe, expect, it, jest } from '@jest/globals';
import { resolveQueueQos, type QueueQos } from '@spillway/qos';
import { FakeConnection, gate, RecordingTelemetry, settled } from '../../../test/support/fake-broker.js';
import type { OutgoingMessage } from './broker/broker.port.js';
import { ConsumePipeline, type HandlerSettings } from './consume-pipeline.js';
import { HandlerRegistrationError } from './errors/handler-registration.error.js';
import { PermanentFailure } from './errors/permanent-failure.error.js';
import type { MountedHandler } from './execute/work-handler.js';
import { jsonCodec } from './message/json.codec.js';

const CALLER = { replyTo: 'amq.rabbitmq.reply-to.g1h2', correlationId: 'c-1' };

function qos(options: object = {}): QueueQos {
  const resolved = resolveQueueQos('orders', {
    maxLength: 100,
    maxAttempts: 1,
    concurrency: 2,
    prefetch: 4,
    ...options,
  });
  if (!resolved.ok) throw new Error(resolved.problems.map(({ message }) => message).join());
  return resolved.qos;
}

function handlerOf(overrides: Partial<MountedHandler> = {}): MountedHandler {
  return {
    queue: 'orders',
    label: 'Orders.take',
    payloadType: undefined,
    prefetch: undefined,
    concurrency: undefined,
    invoke: async () => undefined,
    ...overrides,
  };
}

function setUp() {
  const connection = new FakeConnection();
  const telemetry = new RecordingTelemetry();
  const pipeline = new ConsumePipeline(connection, telemetry);
  const letters: OutgoingMessage[] = [];
  const replies: OutgoingMessage[] = [];
  const start = async (
    overrides: Partial<MountedHandler> = {},
    options: object = {},
    settings: Partial<HandlerSettings> = {},
  ): Promise<void> => {
    const handler = handlerOf(overrides);
    await pipeline.start(handler, {
      qos: qos(options),
      codec: jsonCodec,
      bounds: pipeline.reserve(handler, qos(options)),
      publishDeadLetter: async (letter) => void letters.push(letter),
      publishReply: async (reply) => void replies.push(reply),
      ...settings,
    });
  };
  return { connection, telemetry, pipeline, letters, replies, start };
}

describe('the worker’s side', () => {
  it('executes and settles what is delivered, and tells how it went', async () => {
    const { connection, telemetry, start } = setUp();
    await start();
    connection.consumeChannel.deliver({
      messageId: 'id-7',
      headers: { 'x-sent': Date.now() - 1_000 },
    });
    await settled();
    expect(connection.consumeChannel.log).toEqual(['ack 1']);
    const [job] = telemetry.named('job.settled');
    expect(job).toMatchObject({
      queue: 'orders',
      messageId: 'id-7',
      end: 'succeeded',
      attempt: 1,
      error: undefined,
    });
    expect(job?.waitTimeMs).toBeGreaterThanOrEqual(1_000);
    expect(job?.serviceTimeMs).toBeGreaterThanOrEqual(0);
  });

  it('stores a dead letter before it acks what cannot be done', async () => {
    const { connection, telemetry, start, letters } = setUp();
    const error = new PermanentFailure('no such customer');
    await start({ invoke: () => Promise.reject(error) });
    connection.consumeChannel.deliver();
    await settled();
    expect(letters).toMatchObject([{ queue: 'orders.dead', headers: { 'x-dead-reason': 'permanent' } }]);
    expect(connection.consumeChannel.log).toEqual(['ack 1']);
    expect(telemetry.named('job.settled')).toMatchObject([{ end: 'dead-lettered', error }]);
  });

  it('dead-letters what comes too late, without calling the handler', async () => {
    const { connection, telemetry, start, letters } = setUp();
    const invoke = jest.fn<MountedHandler['invoke']>();
    await start({ invoke });
    connection.consumeChannel.deliver({ headers: { 'x-deadline': Date.now() - 1 } });
    await settled();
    expect(invoke).not.toHaveBeenCalled();
    expect(letters).toMatchObject([{ headers: { 'x-dead-reason': 'expired' } }]);
    expect(telemetry.named('job.settled')).toMatchObject([{ end: 'expired', attempt: 0 }]);
  });

  it('tells a caller that waits what came of it, and nobody else', async () => {
    const { connection, replies, start } = setUp();
    await start({ invoke: async () => ({ total: 7 }) });
    connection.consumeChannel.deliver(CALLER);
    connection.consumeChannel.deliver();
    await settled();
    expect(replies).toMatchObject([{ queue: CALLER.replyTo, body: Buffer.from('{"total":7}') }]);
  });

  it('answers once its work is settled, and waits for no reply', async () => {
    const { connection, telemetry, start } = setUp();
    const publishReply = jest.fn(() => {
      expect(connection.consumeChannel.log).toEqual(['ack 1']);
      return new Promise<void>(() => undefined);
    });
    await start({}, { concurrency: 1 }, { publishReply });
    connection.consumeChannel.deliver(CALLER);
    connection.consumeChannel.deliver();
    await settled();
    expect(publishReply).toHaveBeenCalledTimes(1);
    expect(telemetry.named('job.settled')).toHaveLength(2);
    expect(telemetry.named('reply.lost')).toEqual([]);
  });

  it('gives messages without an id one, and waits without a time none', async () => {
    const { connection, telemetry, start } = setUp();
    await start();
    connection.consumeChannel.deliver({ messageId: undefined });
    await settled();
    expect(telemetry.named('job.settled')).toMatchObject([
      { messageId: expect.stringMatching(/^[\da-f-]{36}$/), waitTimeMs: undefined },
    ]);
  });

  it('never waits for less than no time, however wrong the publisher’s clock', async () => {
    const { connection, telemetry, start } = setUp();
    await start();
    connection.consumeChannel.deliver({ headers: { 'x-sent': Date.now() + 60_000 } });
    await settled();
    expect(telemetry.named('job.settled')).toMatchObject([{ waitTimeMs: 0 }]);
  });

  it.each([
    ['those of the QoS file', {}, { prefetch: 4, concurrency: 2 }],
    ['a prefetch alone, which is a concurrency too', { prefetch: 3 }, { prefetch: 3, concurrency: 3 }],
    ['a concurrency alone', { concurrency: 3 }, { prefetch: 4, concurrency: 3 }],
    ['a concurrency beyond the prefetch of the file', { concurrency: 9 }, { prefetch: 9, concurrency: 9 }],
    ['both', { prefetch: 9, concurrency: 1 }, { prefetch: 9, concurrency: 1 }],
  ])('has as its bounds %s', async (_what, handler, bounds) => {
    const { telemetry, start } = setUp();
    await start(handler);
    expect(telemetry.named('consumer.started')).toMatchObject([bounds]);
  });

  it.each([
    { prefetch: 1, concurrency: 2 },
    { prefetch: 0 },
    { concurrency: 1.5 },
    { prefetch: 65_536 },
    { concurrency: Number.NaN },
  ])('refuses the bounds %p', async (handler) => {
    const refused = setUp().start(handler);
    await expect(refused).rejects.toThrow(HandlerRegistrationError);
    await expect(refused).rejects.toThrow(/Orders\.take: expected prefetch >= concurrency/);
  });

  it('refuses a second handler for a queue, and names both', () => {
    const { pipeline } = setUp();
    pipeline.reserve(handlerOf(), qos());
    pipeline.reserve(handlerOf({ queue: 'mails' }), qos());
    expect(() => pipeline.reserve(handlerOf({ label: 'Other.take' }), qos())).toThrow(
      /has two handlers, Orders\.take and Other\.take/,
    );
  });

  it('names queues that it should consume and does not', async () => {
    const { connection, pipeline, start } = setUp();
    await start();
    expect(pipeline.silentQueues).toEqual([]);
    connection.consumeChannel.end('gone');
    expect(pipeline.silentQueues).toEqual(['orders']);
    await pipeline.drain(1_000);
  });

  it('drains all its consumers', async () => {
    const { connection, pipeline, start } = setUp();
    const end = gate();
    await start({ invoke: () => end.promise });
    await start({ queue: 'mails' });
    const [orders, mails] = connection.consumeChannels;
    orders?.deliver();
    await settled();
    const drained = pipeline.drain(1_000);
    await settled();
    expect([orders?.isOpen, mails?.isOpen]).toEqual([true, false]);
    end.open();
    await drained;
    expect(orders?.log).toEqual([expect.stringMatching(/^cancel /), 'ack 1', 'close']);
  });
});
