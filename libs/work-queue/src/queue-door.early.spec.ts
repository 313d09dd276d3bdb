import { describe, expect, it, jest } from '@jest/globals';
import type { QueueReading } from './broker/broker.port.js';
import type { OpenDoor } from '../../../test/support/open-door.js';
import { fakeableTimers, fakeTimeInEachTest, gate, settled } from '../../../test/support/fake-broker.js';
import type { PublishRefusedError } from './errors/publish-refused.error.js';
import { QueueFullError } from './errors/queue-full.error.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const support = await import('../../../test/support/open-door.js');

/** One job frees a place after 5 ms, and every 20 ms is looked whether it has. */
const CLASSIC = { type: 'classic', maxLength: 10 } as const;

const closeAfterTest = fakeTimeInEachTest();

async function openDoor(qos?: Parameters<typeof support.OpenDoor.open>[0]): Promise<OpenDoor> {
  const door = await support.OpenDoor.open(qos);
  closeAfterTest(() => door.close());
  return door;
}

describe('before the body is read', () => {
  it('a request goes on while the door is open', async () => {
    const { door } = await openDoor();
    expect(door.preadmit('id-1', 'normal')).toEqual({ pass: undefined });
  });

  it.each<[string, (orders: OpenDoor) => unknown]>([
    ['the broker is in an alarm', (orders) => orders.connection.block()],
    ['the connection is away', (orders) => orders.connection.lose()],
    ['the process shuts down', (orders) => orders.publisher.close(1_000)],
    ['the queue is full', (orders) => orders.sendAnd('nacked')],
    [
      'nobody works on the full queue',
      (orders) => {
        orders.finds(100, 0);
        return orders.sendAnd('nacked');
      },
    ],
  ])('a request is refused as its publish would be when %s', async (_, happens) => {
    const orders = await openDoor();
    orders.finds(100);
    await happens(orders);
    const before = orders.telemetry.named('publish.refused').length;
    const early = orders.door.preadmit('id-1', 'normal');
    const late = (await orders.send()) as PublishRefusedError;
    const { reason, code, message, queue, messageId, retryAfterMs } = late;
    expect(early).toEqual({ refusal: { reason, code, message, queue, messageId, retryAfterMs } });
    const [first, second] = orders.telemetry.named('publish.refused').slice(before);
    expect(first).toEqual(second);
  });

  it('one request may go on to find out whether the queue takes messages again', async () => {
    const orders = await openDoor();
    orders.finds(100);
    await orders.sendAnd('nacked');
    await jest.advanceTimersByTimeAsync(100);
    expect(orders.door.preadmit('id-1', 'normal')).toMatchObject({ pass: { end: expect.any(Function) } });
    expect(orders.door.preadmit('id-2', 'normal')).toMatchObject({ refusal: { messageId: 'id-2' } });
    expect(await orders.sendAnd('acked')).toBe('accepted');
    expect(orders.door.preadmit('id-3', 'normal')).toEqual({ pass: undefined });
  });
});

describe('low priority', () => {
  const LOW = { priority: 'low' } as const;

  it('is shed at 80 % of the limit while the rest still gets in', async () => {
    const orders = await openDoor(CLASSIC);
    orders.finds(8);
    expect(await orders.sendAnd('acked', LOW)).toMatchObject({
      reason: 'queue-full',
      message: expect.stringContaining('8 ready, limit 10'),
    });
    expect(orders.sent).toEqual([]);
    expect(await orders.sendAnd('acked')).toBe('accepted');
  });

  it('is shed also when the look at the queue takes its time', async () => {
    const orders = await openDoor(CLASSIC);
    const reading = gate<QueueReading>();
    orders.connection.inspect = () => reading.promise;
    const ends = [orders.send({}, LOW), orders.send({}, LOW), orders.send({}, LOW)];
    await jest.advanceTimersByTimeAsync(100);
    reading.open({ readyMessages: 7, consumers: 1 });
    await settled();
    for (const sent of orders.sent) sent.answer('acked');
    expect(await Promise.all(ends)).toEqual([
      'accepted',
      expect.any(QueueFullError),
      expect.any(QueueFullError),
    ]);
  });

  it('is shed also when its turn comes a while after the look', async () => {
    const orders = await openDoor(CLASSIC);
    orders.finds(7);
    const { publishChannel } = orders.connection;
    const publish = publishChannel.publish.bind(publishChannel);
    jest.spyOn(publishChannel, 'publish').mockImplementation((...given) => {
      publish(...given);
      jest.advanceTimersByTime(20);
    });
    const ends = [orders.send({}, LOW), orders.send({}, LOW)];
    await settled();
    for (const sent of orders.sent) sent.answer('acked');
    expect(await Promise.all(ends)).toEqual(['accepted', expect.any(QueueFullError)]);
  });

  it('gets in again below', async () => {
    const orders = await openDoor(CLASSIC);
    orders.finds(8);
    await orders.sendAnd('acked', LOW);
    await jest.advanceTimersByTimeAsync(6);
    orders.finds(7);
    expect(await orders.sendAnd('acked', LOW)).toBe('accepted');
  });

  it('counts what was let in since the queue was looked at', async () => {
    const orders = await openDoor(CLASSIC);
    orders.finds(6);
    const ends = [
      await orders.sendAnd('acked', LOW),
      await orders.sendAnd('acked', LOW),
      await orders.sendAnd('acked', LOW),
    ];
    expect(ends).toEqual(['accepted', 'accepted', expect.any(QueueFullError)]);
    expect(orders.connection.inspected).toHaveLength(1);
  });

  it('gets in when the queue cannot be read', async () => {
    const orders = await openDoor(CLASSIC);
    orders.connection.inspect = () => Promise.reject(new Error('timeout'));
    expect(await orders.sendAnd('acked', LOW)).toBe('accepted');
  });

  it('is shed before its body is read by a look that is not too old', async () => {
    const orders = await openDoor(CLASSIC);
    expect(orders.door.preadmit('id-1', 'low')).toEqual({ pass: undefined });
    orders.finds(8);
    await orders.sendAnd('acked', LOW);
    await jest.advanceTimersByTimeAsync(50);
    expect(orders.door.preadmit('id-1', 'low')).toMatchObject({ refusal: { reason: 'queue-full' } });
    expect(orders.door.preadmit('id-1', 'normal')).toEqual({ pass: undefined });
    await jest.advanceTimersByTimeAsync(1);
    expect(orders.door.preadmit('id-1', 'low')).toEqual({ pass: undefined });
  });

  it('is shed by the limit in force', async () => {
    const orders = await openDoor(CLASSIC);
    orders.finds(8);
    orders.door.limitChanged(20);
    expect(await orders.sendAnd('acked', LOW)).toBe('accepted');
    orders.door.limitChanged(5);
    expect(await orders.sendAnd('acked', LOW)).toMatchObject({ reason: 'queue-full' });
    expect(orders.door.preadmit('id-1', 'low')).toMatchObject({ refusal: { reason: 'queue-full' } });
  });
});
