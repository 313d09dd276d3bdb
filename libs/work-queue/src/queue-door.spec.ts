import { describe, expect, it, jest } from '@jest/globals';
import type { OpenDoor } from '../../../test/support/open-door.js';
import { fakeableTimers, fakeTimeInEachTest, gate, settled } from '../../../test/support/fake-broker.js';
import type { QueueReading } from './broker/broker.port.js';
import { BrokerBlockedError } from './errors/broker-blocked.error.js';
import { BrokerUnavailableError } from './errors/broker-unavailable.error.js';
import { ConfirmLostError } from './errors/confirm-lost.error.js';
import { ConfirmTimeoutError } from './errors/confirm-timeout.error.js';
import { InvalidMessageError } from './errors/invalid-message.error.js';
import { MessageTooLargeError } from './errors/message-too-large.error.js';
import { NoWorkersError } from './errors/no-workers.error.js';
import type { PublishRefusedError } from './errors/publish-refused.error.js';
import { PublisherBusyError } from './errors/publisher-busy.error.js';
import { QueueFullError } from './errors/queue-full.error.js';
import { UnroutableError } from './errors/unroutable.error.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const support = await import('../../../test/support/open-door.js');

const closeAfterTest = fakeTimeInEachTest();

async function openDoor(qos?: Parameters<typeof support.OpenDoor.open>[0]): Promise<OpenDoor> {
  const door = await support.OpenDoor.open(qos);
  closeAfterTest(() => door.close());
  return door;
}

/** How a publish ends when this happens after it was sent. */
async function endAfter(orders: OpenDoor, happen: () => unknown): Promise<unknown> {
  const end = orders.send();
  await settled();
  happen();
  return end;
}

interface RefusalCase {
  readonly title: string;
  readonly refuse: (orders: OpenDoor) => Promise<unknown>;
  readonly errorClass: new (...given: never[]) => PublishRefusedError;
  readonly reason: string;
  readonly detail: string;
  readonly retryAfterMs: number | undefined;
}

const REFUSALS: RefusalCase[] = [
  {
    title: 'a body over the limit',
    refuse: (orders) => orders.send({ body: Buffer.alloc(1_001) }),
    errorClass: MessageTooLargeError,
    reason: 'too-large',
    detail: '1001 bytes, the limit is 1000',
    retryAfterMs: undefined,
  },
  {
    title: 'a message that AMQP cannot carry',
    refuse: (orders) => {
      jest.spyOn(orders.connection.publishChannel, 'publish').mockImplementationOnce(() => {
        throw new TypeError('Unknown type to encode: bigint');
      });
      return orders.send();
    },
    errorClass: InvalidMessageError,
    reason: 'invalid-message',
    detail: 'TypeError: Unknown type to encode: bigint',
    retryAfterMs: undefined,
  },
  {
    title: 'no slot in the window',
    refuse: async (orders) => {
      for (let slot = 0; slot < 4; slot++) void orders.send();
      const late = orders.send();
      await jest.advanceTimersByTimeAsync(50);
      return late;
    },
    errorClass: PublisherBusyError,
    reason: 'gateway-busy',
    detail: '4 publishes of 8 bytes unconfirmed, waited 50 ms',
    retryAfterMs: 1_000,
  },
  {
    title: 'a nack of a full queue',
    refuse: (orders) => orders.sendAnd('nacked'),
    errorClass: QueueFullError,
    reason: 'queue-full',
    detail: '100 ready, limit 100, 1 consumers',
    retryAfterMs: 1_000,
  },
  {
    title: 'a nack of a full queue on which nobody works',
    refuse: (orders) => {
      orders.finds(100, 0);
      return orders.sendAnd('nacked');
    },
    errorClass: NoWorkersError,
    reason: 'no-workers',
    detail: '100 ready, limit 100, 0 consumers',
    retryAfterMs: 1_000,
  },
  {
    title: 'a nack of a queue with room',
    refuse: (orders) => {
      orders.finds(0, 0);
      return orders.sendAnd('nacked');
    },
    errorClass: BrokerUnavailableError,
    reason: 'broker-unavailable',
    detail: '0 ready, limit 100, 0 consumers',
    retryAfterMs: 1_000,
  },
  {
    title: 'a nack of a queue that cannot be read',
    refuse: (orders) => {
      orders.connection.inspect = () => Promise.reject(new Error('timeout'));
      return orders.sendAnd('nacked');
    },
    errorClass: BrokerUnavailableError,
    reason: 'broker-unavailable',
    detail: 'refused, and its depth cannot be read',
    retryAfterMs: 1_000,
  },
  {
    title: 'a connection that is away',
    refuse: (orders) => {
      orders.connection.lose('connect ECONNREFUSED 10.0.0.7:5672');
      return orders.send();
    },
    errorClass: BrokerUnavailableError,
    reason: 'broker-unavailable',
    detail: 'connection lost',
    retryAfterMs: 1_000,
  },
  {
    title: 'a channel that is being opened',
    refuse: async (orders) => {
      orders.connection.beforeOpen = () => new Promise(() => undefined);
      orders.connection.publishChannel.end('closed by the broker');
      await settled();
      return orders.send();
    },
    errorClass: BrokerUnavailableError,
    reason: 'broker-unavailable',
    detail: 'the channel is being opened',
    retryAfterMs: 1_000,
  },
  {
    title: 'a process that shuts down',
    refuse: async (orders) => {
      await orders.publisher.close(1_000);
      return orders.send();
    },
    errorClass: BrokerUnavailableError,
    reason: 'broker-unavailable',
    detail: 'this process is shutting down',
    retryAfterMs: 1_000,
  },
  {
    title: 'an alarm of the broker',
    refuse: (orders) => {
      orders.connection.block('low on memory');
      return orders.send();
    },
    errorClass: BrokerBlockedError,
    reason: 'broker-alarm',
    detail: 'blocked: low on memory',
    retryAfterMs: 1_000,
  },
  {
    title: 'a returned message',
    refuse: (orders) => orders.sendAnd('returned'),
    errorClass: UnroutableError,
    reason: 'unroutable',
    detail: 'returned by the broker: no such queue',
    retryAfterMs: undefined,
  },
  {
    title: 'silence',
    refuse: async (orders) => {
      const end = orders.send();
      await jest.advanceTimersByTimeAsync(1_000);
      return end;
    },
    errorClass: ConfirmTimeoutError,
    reason: 'unknown',
    detail: 'no confirm within 1000 ms',
    retryAfterMs: 1_000,
  },
  {
    title: 'a connection that went before the confirm',
    refuse: (orders) => endAfter(orders, () => orders.connection.lose()),
    errorClass: ConfirmLostError,
    reason: 'unknown',
    detail: 'the connection went away before the confirm',
    retryAfterMs: 1_000,
  },
  {
    title: 'an alarm that came before the confirm',
    refuse: (orders) => endAfter(orders, () => orders.connection.block()),
    errorClass: ConfirmLostError,
    reason: 'unknown',
    detail: 'the broker went into an alarm before the confirm',
    retryAfterMs: 1_000,
  },
];

describe('the door of a queue', () => {
  it('lets a message in once the broker has stored it, and says how long that took', async () => {
    const orders = await openDoor();
    let end: unknown = 'pending';
    void orders.send({ messageId: 'id-7' }).then((given) => (end = given));
    await jest.advanceTimersByTimeAsync(30);
    expect(end).toBe('pending');
    orders.sent[0]?.answer('acked');
    await settled();
    expect(end).toBe('accepted');
    const accepted = orders.telemetry.named('publish.accepted');
    expect(accepted).toMatchObject([{ queue: 'orders', messageId: 'id-7', confirmMs: 30 }]);
    expect(orders.telemetry.named('publish.refused')).toEqual([]);
  });

  it.each(REFUSALS)('tells $title once, as $reason', async (refusal) => {
    const orders = await openDoor();
    orders.finds(100);
    const error = await refusal.refuse(orders);
    const { reason, detail, retryAfterMs } = refusal;
    expect(error).toBeInstanceOf(refusal.errorClass);
    expect(error).toMatchObject({ reason, queue: 'orders', messageId: 'id-1', retryAfterMs });
    const told = { name: 'publish.refused', queue: 'orders', messageId: 'id-1', reason, detail };
    expect(orders.telemetry.named('publish.refused')).toEqual([told]);
    expect(orders.telemetry.named('publish.accepted')).toEqual([]);
  });

  it('shares its looks at the queue among many nacks, and looks again afterwards', async () => {
    const orders = await openDoor();
    const reading = gate<QueueReading>();
    orders.connection.inspect = () => reading.promise;
    const ends = [orders.send(), orders.send()];
    await settled();
    for (const sent of orders.sent) sent.answer('nacked');
    await settled();
    reading.open({ readyMessages: 100, consumers: 1 });
    for (const end of await Promise.all(ends)) expect(end).toBeInstanceOf(QueueFullError);
    // One for the first, and one that began after the others were nacked.
    expect(orders.connection.inspected).toHaveLength(2);
    await jest.advanceTimersByTimeAsync(100);
    await orders.sendAnd('nacked');
    expect(orders.connection.inspected).toHaveLength(3);
  });

  it('judges fullness by the limit in force', async () => {
    const orders = await openDoor();
    orders.finds(100);
    orders.door.limitChanged(1_000);
    expect(await orders.sendAnd('nacked')).toMatchObject({
      reason: 'broker-unavailable',
      message: expect.stringContaining('100 ready, limit 1000'),
    });
  });
});
