import { describe, expect, it, jest } from '@jest/globals';
import type { OpenDoor } from '../../../test/support/open-door.js';
import { fakeableTimers, fakeTimeInEachTest, gate, settled } from '../../../test/support/fake-broker.js';
import type { QueueReading } from './broker/broker.port.js';
import { BrokerUnavailableError } from './errors/broker-unavailable.error.js';
import { NoWorkersError } from './errors/no-workers.error.js';
import type { PublishRefusedError } from './errors/publish-refused.error.js';
import { QueueFullError } from './errors/queue-full.error.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const support = await import('../../../test/support/open-door.js');

const closeAfterTest = fakeTimeInEachTest();

async function openDoor(qos?: Parameters<typeof support.OpenDoor.open>[0]): Promise<OpenDoor> {
  const door = await support.OpenDoor.open(qos);
  closeAfterTest(() => door.close());
  return door;
}

describe('a nack', () => {
  it('shuts the door at once, before anybody has looked at the queue', async () => {
    const orders = await openDoor();
    const reading = gate<QueueReading>();
    orders.connection.inspect = () => reading.promise;
    const nacked = orders.send();
    await settled();
    orders.sent[0]?.answer('nacked');
    await settled();
    expect(await orders.send()).toBeInstanceOf(QueueFullError);
    reading.open({ readyMessages: 100, consumers: 1 });
    await nacked;
    expect(await orders.send()).toBeInstanceOf(QueueFullError);
    expect(orders.sent).toHaveLength(1);
  });

  it('lets nothing more through until the queue can have drained, and then one message at a time', async () => {
    const orders = await openDoor();
    orders.finds(100);
    await orders.sendAnd('nacked');
    await jest.advanceTimersByTimeAsync(99);
    expect(await orders.send()).toBeInstanceOf(QueueFullError);
    expect(orders.sent).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1);
    void orders.send();
    expect(await orders.send()).toBeInstanceOf(QueueFullError);
    expect(orders.sent).toHaveLength(2);
  });

  it('of that one starts the wait anew', async () => {
    const orders = await openDoor();
    orders.finds(100);
    await orders.sendAnd('nacked');
    await jest.advanceTimersByTimeAsync(100);
    expect(await orders.sendAnd('nacked')).toBeInstanceOf(QueueFullError);
    await jest.advanceTimersByTimeAsync(99);
    expect(await orders.send()).toBeInstanceOf(QueueFullError);
    await jest.advanceTimersByTimeAsync(1);
    expect(await orders.sendAnd('acked')).toBe('accepted');
  });

  it('is followed by a slow start once that one is accepted', async () => {
    const orders = await openDoor();
    orders.finds(100);
    await orders.sendAnd('nacked');
    await jest.advanceTimersByTimeAsync(100);
    await orders.sendAnd('acked');
    const ends = Array.from({ length: 3 }, () => orders.send());
    expect(await ends[2]).toBeInstanceOf(QueueFullError);
    expect(orders.sent).toHaveLength(4);
    for (const sent of orders.sent) sent.answer('acked');
    await settled();
    // Open: as many as the window has.
    for (let slot = 0; slot < 4; slot++) void orders.send();
    await settled();
    expect(orders.sent).toHaveLength(8);
  });

  it('has a quorum queue looked at through a new channel within a second', async () => {
    const orders = await openDoor();
    orders.finds(100);
    for (let moment = 0; moment < 10; moment++) {
      await orders.sendAnd('nacked');
      await jest.advanceTimersByTimeAsync(100);
    }
    expect(orders.connection.publishChannels.length).toBeGreaterThan(1);
    expect(orders.connection.publishChannels[0]?.isOpen).toBe(false);
  });

  it.each([
    ['no workers', 100, NoWorkersError],
    ['a broker that refuses a queue with room', 0, BrokerUnavailableError],
  ])('for %s is what is said for as long as the door is shut', async (_, ready, errorClass) => {
    const orders = await openDoor();
    orders.finds(ready, 0);
    expect(await orders.sendAnd('nacked')).toBeInstanceOf(errorClass);
    expect(await orders.send()).toBeInstanceOf(errorClass);
    orders.finds(100, 1);
    await jest.advanceTimersByTimeAsync(500);
    expect(await orders.sendAnd('nacked')).toBeInstanceOf(QueueFullError);
    expect(await orders.send()).toBeInstanceOf(QueueFullError);
  });
});

describe('when to come back', () => {
  const retryAfterMs = async (end: Promise<unknown>): Promise<unknown> =>
    ((await end) as PublishRefusedError).retryAfterMs;

  it('is when a full queue has drained, times how much more is offered than accepted', async () => {
    // 20 jobs of 500 ms.
    const orders = await openDoor({ serviceTimeMs: 500, concurrencyTotal: 1 });
    orders.finds(100);
    await orders.sendAnd('acked');
    expect(await retryAfterMs(orders.sendAnd('nacked'))).toBe(20_000);
    expect(await retryAfterMs(orders.send())).toBe(30_000);
  });

  it('is as far away as the last accepted message, when a full queue takes nothing at all', async () => {
    const orders = await openDoor({ serviceTimeMs: 500, concurrencyTotal: 1 });
    orders.finds(100);
    await orders.sendAnd('acked');
    await jest.advanceTimersByTimeAsync(11_000);
    expect(await retryAfterMs(orders.sendAnd('nacked'))).toBe(11_000);
    await jest.advanceTimersByTimeAsync(9_000);
    expect(await retryAfterMs(orders.sendAnd('nacked'))).toBe(20_000);
  });

  it('makes the known limit doubtful when a queue with room refuses', async () => {
    const orders = await openDoor();
    orders.finds(100);
    await orders.sendAnd('nacked');
    expect(orders.doubts).toBe(0);
    await jest.advanceTimersByTimeAsync(500);
    orders.finds(3);
    await orders.sendAnd('nacked');
    expect(orders.doubts).toBe(1);
  });

  it('is spread by chance, so that the refused do not come back together', async () => {
    const orders = await openDoor({ serviceTimeMs: 500, concurrencyTotal: 1 });
    orders.finds(100);
    orders.chance = 0.5;
    expect(await retryAfterMs(orders.sendAnd('nacked'))).toBe(10_000 + 0.5 * (5_000 + 1_000));
  });

  it.each([
    ['no workers', 100],
    ['a broker that refuses a queue with room', 0],
  ])('backs off the longer %s lasts, up to a minute, until a message is accepted', async (_, ready) => {
    const orders = await openDoor();
    orders.finds(ready, 0);
    expect(await retryAfterMs(orders.sendAnd('nacked'))).toBe(1_000);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(await retryAfterMs(orders.sendAnd('nacked'))).toBe(5_000);
    expect(await retryAfterMs(orders.send())).toBe(5_000);
    await jest.advanceTimersByTimeAsync(70_000);
    expect(await retryAfterMs(orders.sendAnd('nacked'))).toBe(60_000);
    await jest.advanceTimersByTimeAsync(500);
    expect(await orders.sendAnd('acked')).toBe('accepted');
    expect(await retryAfterMs(orders.sendAnd('nacked'))).toBe(1_000);
  });

  it('backs off while the connection is away, too', async () => {
    const orders = await openDoor();
    orders.connection.lose();
    expect(await retryAfterMs(orders.send())).toBe(1_000);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(await retryAfterMs(orders.send())).toBe(3_000);
  });
});
