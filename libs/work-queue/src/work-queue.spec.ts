import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { endFakeTime, fakeableTimers, settled } from '../../../test/support/fake-broker.js';
import type { OpenDoor } from '../../../test/support/open-door.js';
import type { ConfirmAnswer } from './broker/broker.port.js';
import { IdempotencyConflictError } from './errors/idempotency-conflict.error.js';
import { InvalidMessageError } from './errors/invalid-message.error.js';
import { OutcomeUnknownError } from './errors/outcome-unknown.error.js';
import { UnroutableError } from './errors/unroutable.error.js';
import type { Codec } from './message/codec.js';
import { jsonCodec } from './message/json.codec.js';
import type { PublishOptions } from './work-queue.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const support = await import('../../../test/support/open-door.js');
const { MessageIds } = await import('./message/message-id.js');
const { RecentIds } = await import('./publish/recent-ids.js');
const { ReplyWaiters } = await import('./publish/reply-waiters.js');
const { WorkQueue } = await import('./work-queue.js');

const NOW = 1_700_000_000_000;

let opened: OpenDoor | undefined;

beforeEach(() => {
  jest.useFakeTimers({ now: NOW });
});

afterEach(async () => {
  await opened?.close();
  endFakeTime();
});

interface Wanted {
  readonly codec?: Codec<unknown>;
  readonly mayBeDropped?: boolean;
  readonly recentIds?: number;
}

async function setUp({ codec = jsonCodec, mayBeDropped = false, recentIds = 10 }: Wanted = {}) {
  const orders = await support.OpenDoor.open();
  opened = orders;
  const { door } = orders;
  const parts = {
    door,
    codec,
    mayBeDropped,
    ids: new MessageIds(),
    recentIds: new RecentIds(recentIds),
    waiters: new ReplyWaiters(0),
  };
  const queue = new WorkQueue('orders', parts);
  const publishAnd = async (answer: ConfirmAnswer, payload: unknown, options?: PublishOptions) => {
    const published = queue.publish(payload, options);
    // Seen by the test, but only after the broker has answered.
    published.catch(() => undefined);
    await settled();
    orders.sent.at(-1)?.answer(answer);
    return published;
  };
  const publish = (payload: unknown, options?: PublishOptions) => publishAnd('acked', payload, options);
  return { orders, queue, publish, publishAnd };
}

describe('publishing to a queue', () => {
  it('says which message was stored where, once it was', async () => {
    const { orders, queue } = await setUp();
    let receipt: unknown = 'none';
    void queue.publish({ a: 1 }, { messageId: 'order-7' }).then((given) => (receipt = given));
    await settled();
    expect(receipt).toBe('none');
    orders.sent[0]?.answer('acked');
    await settled();
    expect(receipt).toEqual({ id: 'order-7', queue: 'orders', mayBeDropped: false });
  });

  it('warns that a message to a drop-head queue may be dropped', async () => {
    const { publish } = await setUp({ mayBeDropped: true });
    expect(await publish({})).toMatchObject({ mayBeDropped: true });
  });

  it('gives every message an id of its own unless it gets one', async () => {
    const { orders, publish } = await setUp();
    const [first, second] = [await publish({}), await publish({})];
    expect(first.id).not.toBe(second.id);
    expect(orders.sent.map(({ message }) => message.messageId)).toEqual([first.id, second.id]);
  });

  it('sends JSON with the time of publishing and the headers of codec and caller', async () => {
    const encode: Codec<unknown>['encode'] = (payload) => ({
      ...jsonCodec.encode(payload),
      headers: { v: 1, w: 1 },
    });
    const { orders, publish } = await setUp({ codec: { ...jsonCodec, encode } });
    const { id } = await publish({ a: 1 }, { headers: { w: 2, 'x-sent': 'never' } });
    expect(orders.sent[0]?.message).toEqual({
      queue: 'orders',
      messageId: id,
      hasUniqueId: true,
      body: Buffer.from('{"a":1}'),
      contentType: 'application/json',
      headers: { v: 1, w: 2, 'x-sent': NOW },
    });
  });

  it('sends bytes as they are, also those of a view into a larger buffer', async () => {
    const { orders, publish } = await setUp();
    await publish(new Uint8Array([9, 1, 2, 9]).subarray(1, 3));
    expect(orders.sent[0]?.message).toMatchObject({
      body: Buffer.from([1, 2]),
      contentType: 'application/octet-stream',
    });
  });

  it('passes the refusal of the door on', async () => {
    const { publishAnd } = await setUp();
    await expect(publishAnd('returned', {})).rejects.toThrow(UnroutableError);
  });

  it.each([
    ['JSON has no word for', undefined, 'expected a payload that JSON can carry, got: undefined'],
    ['JSON cannot write', 1n, 'Do not know how to serialize a BigInt'],
  ])('refuses a payload that %s, before anything is sent', async (_, payload, because) => {
    const { orders, queue } = await setUp();
    const error: unknown = await queue.publish(payload, { messageId: 'id-1' }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(InvalidMessageError);
    expect(error).toMatchObject({
      message: expect.stringContaining(because),
      cause: expect.any(TypeError),
      queue: 'orders',
      messageId: 'id-1',
      retryAfterMs: undefined,
    });
    expect(orders.sent).toEqual([]);
  });
});

describe('a deadline', () => {
  it('travels with the message, for the worker to see', async () => {
    const { orders, publish } = await setUp();
    await publish({}, { deadline: new Date(NOW + 5_000), headers: { tenant: 'a' } });
    expect(orders.sent[0]?.message.headers).toEqual({
      tenant: 'a',
      'x-sent': NOW,
      'x-deadline': NOW + 5_000,
    });
    expect(orders.sent[0]?.message).not.toHaveProperty('expirationMs');
  });

  it('is kept by the broker, too, if that is wanted', async () => {
    const { orders, publish } = await setUp();
    await publish({}, { deadline: new Date(NOW + 5_000), expire: true });
    expect(orders.sent[0]?.message).toMatchObject({
      expirationMs: 5_000,
      headers: { 'x-deadline': NOW + 5_000 },
    });
  });

  it('is needed for the broker to let a message expire', async () => {
    const { orders, publish } = await setUp();
    await publish({}, { expire: true });
    expect(orders.sent[0]?.message).not.toHaveProperty('expirationMs');
  });

  it.each([
    ['past', NOW - 1],
    ['no time at all', Number.NaN],
    ['infinite', Number.POSITIVE_INFINITY],
  ])('that is %s is refused before anything is sent', async (_, at) => {
    const { orders, queue } = await setUp();
    const published = queue.publish({}, { deadline: new Date(at) });
    await expect(published).rejects.toThrow(InvalidMessageError);
    await expect(published).rejects.toThrow(/expected a deadline from now on, got: /);
    expect(orders.sent).toEqual([]);
  });

  it('further away than AMQP can say is only refused when the broker is to expire it', async () => {
    const { orders, queue, publish } = await setUp();
    const deadline = new Date(NOW + 2 ** 31);
    await expect(queue.publish({}, { deadline, expire: true })).rejects.toThrow(
      'expected a deadline at most 2147483647 ms away for the broker to expire it, got: 2147483648',
    );
    expect(orders.sent).toEqual([]);
    await publish({}, { deadline });
    expect(orders.sent).toHaveLength(1);
  });
});

describe('an id of the caller’s', () => {
  const ID = { messageId: 'order-7' };
  const conflict = expect.objectContaining({ reason: 'conflict', code: 'WQ_IDEMPOTENCY_CONFLICT' });

  it('may be published again with the same payload: what became of the first is not ours to say', async () => {
    const { orders, publish } = await setUp();
    expect(await publish({ a: 1 }, ID)).toEqual(await publish({ a: 1 }, ID));
    expect(orders.sent).toHaveLength(2);
  });

  it('is refused with another payload, and nothing is sent', async () => {
    const { orders, queue, publish } = await setUp();
    await publish({ a: 1 }, ID);
    const other = queue.publish({ a: 2 }, ID);
    await expect(other).rejects.toThrow(IdempotencyConflictError);
    await expect(other).rejects.toMatchObject({ messageId: 'order-7', retryAfterMs: undefined });
    expect(orders.sent).toHaveLength(1);
  });

  it('is refused with another payload also while the first is on its way', async () => {
    const { orders, queue } = await setUp();
    const first = queue.publish({ a: 1 }, ID);
    await expect(queue.publish({ a: 2 }, ID)).rejects.toEqual(conflict);
    expect(orders.sent).toHaveLength(1);
    orders.sent[0]?.answer('acked');
    await first;
  });

  it('is free for other content once the first was refused', async () => {
    const { publish, publishAnd } = await setUp();
    await expect(publishAnd('returned', { a: 1 }, ID)).rejects.toThrow(UnroutableError);
    await expect(publish({ a: 2 }, ID)).resolves.toMatchObject({ id: 'order-7' });
  });

  it('stays taken when nobody knows whether the first was stored', async () => {
    const { queue, publish, publishAnd } = await setUp();
    await expect(publishAnd('lost', { a: 1 }, ID)).rejects.toThrow(OutcomeUnknownError);
    await expect(queue.publish({ a: 2 }, ID)).rejects.toEqual(conflict);
    await expect(publish({ a: 1 }, ID)).resolves.toMatchObject({ id: 'order-7' });
  });

  it('stays taken when it was stored once and refused when published again', async () => {
    const { queue, publish, publishAnd } = await setUp();
    await publish({ a: 1 }, ID);
    await expect(publishAnd('returned', { a: 1 }, ID)).rejects.toThrow(UnroutableError);
    await expect(queue.publish({ a: 2 }, ID)).rejects.toEqual(conflict);
  });

  it('is forgotten when so many others came after it', async () => {
    const { queue, publish } = await setUp({ recentIds: 2 });
    for (const messageId of ['a', 'b', 'c']) await publish(1, { messageId });
    await expect(queue.publish(2, { messageId: 'b' })).rejects.toEqual(conflict);
    await expect(queue.publish(2, { messageId: 'c' })).rejects.toEqual(conflict);
    await expect(publish(2, { messageId: 'a' })).resolves.toMatchObject({ id: 'a' });
  });

  it('is never refused when none are remembered', async () => {
    const { publish } = await setUp({ recentIds: 0 });
    await publish({ a: 1 }, ID);
    await expect(publish({ a: 2 }, ID)).resolves.toMatchObject({ id: 'order-7' });
  });

  it('is not pushed out by ids that were made here', async () => {
    const { queue, publish } = await setUp({ recentIds: 1 });
    await publish({ a: 1 }, ID);
    await publish({ a: 1 });
    await expect(queue.publish({ a: 2 }, ID)).rejects.toEqual(conflict);
  });
});
