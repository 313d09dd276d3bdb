import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { OpenDoor } from '../../../test/support/open-door.js';
import { endFakeTime, fakeableTimers, gate, settled } from '../../../test/support/fake-broker.js';
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

/** One job frees a place after 5 ms, and every 20 ms is looked whether it has. */
const CLASSIC = { type: 'classic', maxLength: 10 } as const;

let open: OpenDoor[];

beforeEach(() => {
  jest.useFakeTimers();
  open = [];
});

afterEach(async () => {
  for (const door of open) await door.close();
  endFakeTime();
});

async function openDoor(qos?: Parameters<typeof support.OpenDoor.open>[0]): Promise<OpenDoor> {
  const door = await support.OpenDoor.open(qos);
  open.push(door);
  return door;
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
    refuse: async (orders) => {
      const end = orders.send();
      await settled();
      orders.connection.lose();
      return end;
    },
    errorClass: ConfirmLostError,
    reason: 'unknown',
    detail: 'the connection went away before the confirm',
    retryAfterMs: 1_000,
  },
  {
    title: 'an alarm that came before the confirm',
    refuse: async (orders) => {
      const end = orders.send();
      await settled();
      orders.connection.block();
      return end;
    },
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

  it('shares one look at the queue among many nacks, and looks again afterwards', async () => {
    const orders = await openDoor();
    const reading = gate<QueueReading>();
    orders.connection.inspect = () => reading.promise;
    const ends = [orders.send(), orders.send()];
    await settled();
    for (const sent of orders.sent) sent.answer('nacked');
    await settled();
    reading.open({ readyMessages: 100, consumers: 1 });
    for (const end of await Promise.all(ends)) expect(end).toBeInstanceOf(QueueFullError);
    expect(orders.connection.inspected).toEqual(['orders']);
    await jest.advanceTimersByTimeAsync(100);
    await orders.sendAnd('nacked');
    expect(orders.connection.inspected).toEqual(['orders', 'orders']);
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
    // What was offered more than 10 s ago does not count.
    await jest.advanceTimersByTimeAsync(11_000);
    expect(await retryAfterMs(orders.sendAnd('nacked'))).toBe(10_000);
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
