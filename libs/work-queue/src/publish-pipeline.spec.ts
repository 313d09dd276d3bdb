import { describe, expect, it } from '@jest/globals';
import { FakeConnection, outgoing, settled } from '../../../test/support/fake-broker.js';
import { resolveSettings, type WorkQueueOptions } from './config/settings.js';
import { ConfigurationError } from './errors/configuration.error.js';
import { MessageTooLargeError } from './errors/message-too-large.error.js';
import { jsonCodec } from './message/json.codec.js';
import { PublishPipeline } from './publish-pipeline.js';
import { Telemetry } from './telemetry/telemetry.js';

const QUEUES = {
  orders: { maxLength: 100, concurrency: 2 },
  feed: { maxLength: 100, overflow: 'drop-head' },
};

async function setUp(options: WorkQueueOptions = {}) {
  const config = { limits: 'arguments', queues: QUEUES };
  const settings = await resolveSettings({ config, queues: ['orders', 'feed'], ...options }, {});
  const connection = new FakeConnection();
  const pipeline = new PublishPipeline(settings, connection, new Telemetry());
  const orders = settings.qos.get('orders');
  if (!orders) throw new Error('no QoS');
  return { pipeline, connection, orders };
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
    const { pipeline, connection } = await setUp({ codecs: { orders: codec } });
    await pipeline.open('orders', 100);
    void pipeline.queue('orders').publish({});
    await settled();
    expect(connection.publishChannel.sent[0]?.message).toMatchObject({ body: Buffer.from('encoded') });
    connection.publishChannel.sent[0]?.answer('acked');
  });

  it('publishes dead letters of any size: what was delivered must not go round for ever', async () => {
    const { pipeline, connection, orders } = await setUp({ maxMessageBytes: 10 });
    const publishDeadLetter = await pipeline.openDeadLetters('orders', orders.concurrency);
    connection.publishChannel.autoAnswer = 'acked';
    await publishDeadLetter(outgoing({ queue: 'orders.dead', body: Buffer.alloc(11) }));
    await pipeline.open('orders', 100);
    await expect(pipeline.queue('orders').publish(Buffer.alloc(11))).rejects.toThrow(MessageTooLargeError);
  });

  it('closes all doors', async () => {
    const { pipeline, connection } = await setUp();
    await pipeline.open('orders', 100);
    await pipeline.open('feed', 100);
    await pipeline.close(1_000);
    expect(connection.publishChannels.map(({ isOpen }) => isOpen)).toEqual([false, false]);
  });
});
