import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { FakeConnection } from '../../../../test/support/fake-broker.js';
import type { OutgoingMessage } from '../broker/broker.port.js';
import type { Codec } from '../message/codec.js';
import { jsonCodec } from '../message/json.codec.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { Publisher } from './publisher.js';
import { WorkQueue } from './work-queue.js';

const TARGET = {
  name: 'orders',
  type: 'quorum',
  overflow: 'reject-publish',
  maxLength: 100,
  window: 10,
  serviceTimeMs: 50,
  concurrencyTotal: 10,
} as const;

async function setUp({
  codec = jsonCodec,
  mayBeDropped = false,
}: { codec?: Codec<unknown>; mayBeDropped?: boolean } = {}) {
  const connection = new FakeConnection();
  const options = { slotWaitMs: 50, confirmTimeoutMs: 1_000, maxMessageBytes: 1_000 };
  const publisher = new Publisher(connection, TARGET, options, new Telemetry());
  await publisher.open();
  const sent: OutgoingMessage[] = [];
  jest.spyOn(connection.publishChannel, 'publish').mockImplementation(async (message) => {
    sent.push(message);
    return 'acked';
  });
  return { queue: new WorkQueue('orders', publisher, codec, mayBeDropped), sent };
}

afterEach(() => {
  jest.useRealTimers();
});

describe('the door of a queue', () => {
  it('says which message was stored where', async () => {
    const { queue } = await setUp();
    const receipt = await queue.publish({ a: 1 }, { messageId: 'order-7' });
    expect(receipt).toEqual({ id: 'order-7', queue: 'orders', mayBeDropped: false });
  });

  it('warns that a message to a drop-head queue may be dropped', async () => {
    const { queue } = await setUp({ mayBeDropped: true });
    expect(await queue.publish({})).toMatchObject({ mayBeDropped: true });
  });

  it('gives every message an id of its own unless it gets one', async () => {
    const { queue, sent } = await setUp();
    const [first, second] = [await queue.publish({}), await queue.publish({})];
    expect(first.id).not.toBe(second.id);
    expect(sent.map(({ messageId }) => messageId)).toEqual([first.id, second.id]);
  });

  it('sends JSON with the time of publishing and the headers of codec and caller', async () => {
    jest.useFakeTimers({ now: 1_700_000_000_000, doNotFake: ['performance'] });
    const codec: Codec<unknown> = {
      ...jsonCodec,
      encode: (payload) => ({ ...jsonCodec.encode(payload), headers: { v: 1, w: 1 } }),
    };
    const { queue, sent } = await setUp({ codec });
    await queue.publish({ a: 1 }, { headers: { w: 2 } });
    expect(sent[0]).toMatchObject({
      queue: 'orders',
      body: Buffer.from('{"a":1}'),
      contentType: 'application/json',
      headers: { v: 1, w: 2, 'x-published-at': 1_700_000_000_000 },
    });
  });

  it('sends bytes as they are, also those of a view into a larger buffer', async () => {
    const { queue, sent } = await setUp();
    await queue.publish(new Uint8Array([9, 1, 2, 9]).subarray(1, 3));
    expect(sent[0]).toMatchObject({ body: Buffer.from([1, 2]), contentType: 'application/octet-stream' });
  });

  it('refuses a payload that JSON cannot carry, before anything is sent', async () => {
    const { queue, sent } = await setUp();
    await expect(queue.publish(undefined)).rejects.toThrow(
      'expected a payload that JSON can carry, got: undefined',
    );
    expect(sent).toEqual([]);
  });
});
