import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  FakeConnection,
  fakeableTimers,
  gate,
  outgoing,
  RecordingTelemetry,
  settled,
  endFakeTime,
} from '../../../../test/support/fake-broker.js';
import type { ConfirmAnswer, OutgoingMessage, QueueReading } from '../broker/broker.port.js';
import { BrokerBlockedError } from '../errors/broker-blocked.error.js';
import { BrokerUnavailableError } from '../errors/broker-unavailable.error.js';
import { ConfirmLostError } from '../errors/confirm-lost.error.js';
import { ConfirmTimeoutError } from '../errors/confirm-timeout.error.js';
import { MessageTooLargeError } from '../errors/message-too-large.error.js';
import { PublisherBusyError } from '../errors/publisher-busy.error.js';
import { QueueFullError } from '../errors/queue-full.error.js';
import { UnroutableError } from '../errors/unroutable.error.js';
import type { PublishTarget } from './publish-decision.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { Publisher } = await import('./publisher.js');

const TARGET: PublishTarget = {
  name: 'orders',
  type: 'quorum',
  overflow: 'reject-publish',
  maxLength: 100,
  window: 2,
  serviceTimeMs: 50,
  concurrencyTotal: 1,
};
const FULL: QueueReading = { readyMessages: 100, consumers: 1 };

async function setUp() {
  const connection = new FakeConnection();
  const telemetry = new RecordingTelemetry();
  const options = { slotWaitMs: 50, confirmTimeoutMs: 1_000, maxMessageBytes: 10 };
  const publisher = new Publisher(connection, TARGET, options, telemetry);
  await publisher.open();
  const publish = (message: Partial<OutgoingMessage> = {}): Promise<unknown> =>
    publisher.publish(outgoing(message)).then(
      () => 'accepted',
      (error: unknown) => error,
    );
  /** Publishes, and lets the broker answer. */
  const publishAnd = async (answer: ConfirmAnswer): Promise<unknown> => {
    const outcome = publish();
    await settled();
    connection.publishChannel.sent.at(-1)?.answer(answer);
    return outcome;
  };
  return { connection, telemetry, publisher, publish, publishAnd };
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(endFakeTime);

describe('a publisher', () => {
  it('resolves only once the broker has acked', async () => {
    const { connection, publish, telemetry } = await setUp();
    let outcome: unknown = 'pending';
    void publish({ messageId: 'id-7' }).then((end) => (outcome = end));
    await settled();
    expect(outcome).toBe('pending');
    connection.publishChannel.sent[0]?.answer('acked');
    await settled();
    expect(outcome).toBe('accepted');
    expect(telemetry.named('publish.accepted')).toMatchObject([{ queue: 'orders', messageId: 'id-7' }]);
  });

  it('calls a nack of a full queue full, and says when to come back', async () => {
    const { connection, publishAnd, telemetry } = await setUp();
    connection.inspect = async () => FULL;
    const error = await publishAnd('nacked');
    expect(error).toBeInstanceOf(QueueFullError);
    // (100 - 80) x 50 ms / 1 handler, and never less than a second
    expect(error).toMatchObject({ retryAfterMs: 1_000, messageId: 'id-1', queue: 'orders' });
    expect(telemetry.named('publish.refused')).toMatchObject([
      { reason: 'queue-full', detail: '100 ready, limit 100, 1 consumers' },
    ]);
  });

  it('judges fullness by the limit in force', async () => {
    const { connection, publisher, publishAnd } = await setUp();
    connection.inspect = async () => ({ ...FULL, consumers: 0 });
    publisher.limitChanged(1_000);
    expect(await publishAnd('nacked')).toBeInstanceOf(BrokerUnavailableError);
  });

  it('calls a nack of a queue with room, or one that cannot be read, unavailable', async () => {
    const { connection, publishAnd } = await setUp();
    connection.inspect = async () => ({ readyMessages: 3, consumers: 0 });
    expect(await publishAnd('nacked')).toBeInstanceOf(BrokerUnavailableError);
    connection.inspect = () => Promise.reject(new Error('404'));
    expect(await publishAnd('nacked')).toBeInstanceOf(BrokerUnavailableError);
  });

  it('answers a nack also when the broker never answers the look at its queue', async () => {
    const { connection, publishAnd } = await setUp();
    connection.inspect = () => new Promise(() => undefined);
    const outcomes = [publishAnd('nacked')];
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await outcomes[0]).toBeInstanceOf(BrokerUnavailableError);
    connection.inspect = async () => FULL;
    expect(await publishAnd('nacked')).toBeInstanceOf(QueueFullError);
  });

  it('shares one look at the queue among many nacks, and looks again afterwards', async () => {
    const { connection, publish, publishAnd } = await setUp();
    const reading = gate<QueueReading>();
    connection.inspect = () => reading.promise;
    const outcomes = [publish(), publish()];
    await settled();
    for (const sent of connection.publishChannel.sent) sent.answer('nacked');
    await settled();
    reading.open(FULL);
    for (const outcome of await Promise.all(outcomes)) expect(outcome).toBeInstanceOf(QueueFullError);
    expect(connection.inspected).toEqual(['orders']);
    await publishAnd('nacked');
    expect(connection.inspected).toEqual(['orders', 'orders']);
  });

  it('calls a returned message unroutable', async () => {
    const { publishAnd } = await setUp();
    const error = await publishAnd('returned');
    expect(error).toBeInstanceOf(UnroutableError);
    expect(error).toMatchObject({ retryAfterMs: undefined });
  });

  it('calls silence unknown, and holds the slot until the late answer', async () => {
    const { connection, publish, publishAnd } = await setUp();
    const silent = [publish(), publish()];
    await jest.advanceTimersByTimeAsync(1_000);
    for (const outcome of await Promise.all(silent)) expect(outcome).toBeInstanceOf(ConfirmTimeoutError);

    const busy = publish();
    await jest.advanceTimersByTimeAsync(50);
    expect(await busy).toBeInstanceOf(PublisherBusyError);
    expect(connection.publishChannel.sent).toHaveLength(2);

    connection.publishChannel.sent[0]?.answer('acked');
    await settled();
    expect(await publishAnd('acked')).toBe('accepted');
  });

  it('calls an answer that a lost connection took with it unknown, and has its slots back', async () => {
    const { connection, publish, publishAnd } = await setUp();
    const outcomes = [publish(), publish()];
    await settled();
    connection.lose();
    for (const outcome of await Promise.all(outcomes)) expect(outcome).toBeInstanceOf(ConfirmLostError);
    connection.comeBack();
    await settled();
    expect(await publishAnd('acked')).toBe('accepted');
    expect(await publishAnd('acked')).toBe('accepted');
  });

  it('refuses at once and sends nothing while the connection is blocked', async () => {
    const { connection, publish } = await setUp();
    connection.state = { kind: 'blocked', reason: 'low on memory' };
    const error = await publish();
    expect(error).toBeInstanceOf(BrokerBlockedError);
    expect(error).toMatchObject({ message: expect.stringContaining('low on memory'), retryAfterMs: 5_000 });
    expect(connection.publishChannel.sent).toEqual([]);
  });

  it('refuses at once while the connection is away', async () => {
    const { connection, publish } = await setUp();
    connection.lose('ECONNRESET');
    const error = await publish();
    expect(error).toBeInstanceOf(BrokerUnavailableError);
    expect(error).toMatchObject({ message: expect.stringContaining('connection lost') });
    connection.comeBack();
    await settled();
  });

  it('refuses at once while its channel is being opened', async () => {
    const { connection, publish, publisher } = await setUp();
    const opening = gate();
    connection.beforeOpen = () => opening.promise;
    connection.publishChannel.end('404');
    await settled();
    expect(publisher.isOpen).toBe(false);
    expect(await publish()).toBeInstanceOf(BrokerUnavailableError);
    opening.open();
    await settled();
    expect(publisher.isOpen).toBe(true);
  });

  it('gives the slot back when the connection went while it waited for one', async () => {
    const { connection, publish, publishAnd } = await setUp();
    void publish();
    void publish();
    const waiting = publish();
    await settled();
    connection.state = { kind: 'blocked', reason: 'disk' };
    connection.publishChannel.sent[0]?.answer('acked');
    expect(await waiting).toBeInstanceOf(BrokerBlockedError);
    expect(connection.publishChannel.sent).toHaveLength(2);
    connection.state = { kind: 'open' };
    connection.publishChannel.sent[1]?.answer('acked');
    await settled();
    expect(await publishAnd('acked')).toBe('accepted');
  });

  it('refuses a message that the broker would close the channel for', async () => {
    const { connection, publish } = await setUp();
    const error = await publish({ body: Buffer.alloc(11) });
    expect(error).toBeInstanceOf(MessageTooLargeError);
    expect(error).toMatchObject({ message: expect.stringContaining('11 bytes, the limit is 10') });
    expect(connection.publishChannel.sent).toEqual([]);
  });

  it('passes on why a message cannot be encoded, and gives the slot back', async () => {
    const { connection, publish, publishAnd } = await setUp();
    jest.spyOn(connection.publishChannel, 'publish').mockImplementationOnce(() => {
      throw new TypeError('Unknown type to encode: bigint');
    });
    expect(await publish()).toBeInstanceOf(TypeError);
    void publish();
    expect(await publishAnd('acked')).toBe('accepted');
    connection.publishChannel.sent[0]?.answer('acked');
  });

  it('opens a closed channel again by itself, as often as it takes', async () => {
    const { connection, publishAnd, publisher } = await setUp();
    let failures = 2;
    connection.beforeOpen = async () => {
      if (failures-- > 0) throw new Error('not yet');
    };
    connection.publishChannel.end('closed by the broker');
    await jest.advanceTimersByTimeAsync(400);
    expect(publisher.isOpen).toBe(true);
    expect(connection.publishChannels).toHaveLength(2);
    expect(await publishAnd('acked')).toBe('accepted');
  });
});

describe('closing a publisher', () => {
  it('waits for outstanding confirms, refuses new publishes, then closes the channel for good', async () => {
    const { connection, publisher, publish } = await setUp();
    const outcome = publish();
    await settled();
    let isClosed = false;
    const closing = publisher.close(1_000).then(() => (isClosed = true));
    expect(await publish()).toMatchObject({
      message: expect.stringContaining('this process is shutting down'),
    });
    expect(isClosed).toBe(false);
    connection.publishChannel.sent[0]?.answer('acked');
    await closing;
    expect(await outcome).toBe('accepted');
    expect(connection.publishChannel.isOpen).toBe(false);
    await settled();
    expect(connection.publishChannels).toHaveLength(1);
  });

  it('refuses publishes that wait for a slot, and does not wait for them', async () => {
    const { connection, publisher, publish } = await setUp();
    void publish();
    void publish();
    const waiting = publish();
    await settled();
    const closing = publisher.close(1_000);
    for (const sent of connection.publishChannel.sent) sent.answer('acked');
    expect(await waiting).toBeInstanceOf(BrokerUnavailableError);
    await closing;
    expect(connection.publishChannel.sent).toHaveLength(2);
  });

  it('gives up on confirms at its deadline', async () => {
    const { connection, publisher, publish } = await setUp();
    const outcome = publish();
    await settled();
    const closing = publisher.close(500);
    await jest.advanceTimersByTimeAsync(500);
    await closing;
    expect(connection.publishChannel.isOpen).toBe(false);
    expect(await outcome).toBeInstanceOf(ConfirmLostError);
  });

  it('ends at once when the connection is away, and opens nothing later', async () => {
    const { connection, publisher } = await setUp();
    connection.lose();
    await settled();
    await publisher.close(1_000);
    connection.comeBack();
    await settled();
    expect(connection.publishChannels).toHaveLength(1);
  });

  it('closes a channel that was still being opened', async () => {
    const { connection, publisher } = await setUp();
    const opening = gate();
    connection.beforeOpen = () => opening.promise;
    connection.publishChannel.end('closed by the broker');
    await settled();
    await publisher.close(1_000);
    opening.open();
    await settled();
    expect(connection.publishChannels.map(({ isOpen }) => isOpen)).toEqual([false, false]);
    expect(publisher.isOpen).toBe(false);
  });
});
