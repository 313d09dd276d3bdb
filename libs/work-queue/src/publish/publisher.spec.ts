import { describe, expect, it, jest } from '@jest/globals';
import {
  FakeConnection,
  fakeableTimers,
  fakeTimeInEachTest,
  gate,
  outgoing,
  settled,
} from '../../../../test/support/fake-broker.js';
import type { ConfirmAnswer, IncomingReply, OutgoingMessage, PublishChannel } from '../broker/broker.port.js';
import type { PublishEnd } from './publish-decision.js';
import type { PublishVia } from './publisher.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { Publisher } = await import('./publisher.js');

const ACKED: PublishEnd = { at: 'broker', answer: 'acked' };
const NEW_CHANNEL: PublishVia = { isOnNewChannel: true };

const closeAfterTest = fakeTimeInEachTest();

async function setUp() {
  const connection = new FakeConnection();
  const replies: IncomingReply[] = [];
  const lost: PublishChannel[] = [];
  const publisher = new Publisher(
    connection,
    { messages: 2, bytes: 100 },
    { slotWaitMs: 50, confirmTimeoutMs: 1_000, maxMessageBytes: 10 },
    { onReply: (reply) => replies.push(reply), onLost: (channel) => lost.push(channel) },
  );
  closeAfterTest(() => publisher.close(0));
  await publisher.open();
  const publish = (message: Partial<OutgoingMessage> = {}, via?: PublishVia): Promise<PublishEnd> =>
    publisher.publish(outgoing(message), via);
  /** Answers the oldest publishes of a channel, one each. */
  const answer = async (answers: readonly ConfirmAnswer[], channel = 0): Promise<void> => {
    for (const [index, given] of answers.entries())
      connection.publishChannels[channel]?.sent[index]?.answer(given);
    await settled();
  };
  const sentOn = (channel: number): number => connection.publishChannels[channel]?.sent.length ?? 0;
  const openChannels = (): boolean[] => connection.publishChannels.map(({ isOpen }) => isOpen);
  return { connection, publisher, publish, answer, sentOn, openChannels, replies, lost };
}

describe('a publish', () => {
  it.each<ConfirmAnswer>(['acked', 'nacked', 'returned', 'lost'])(
    'ends when the broker answers, and not before: %s',
    async (given) => {
      const { publisher, publish, answer } = await setUp();
      const onEnd = jest.fn();
      void publish().then(onEnd);
      await settled();
      expect(onEnd).not.toHaveBeenCalled();
      await answer([given]);
      expect(onEnd).toHaveBeenCalledWith({ at: 'broker', answer: given });
      expect(publisher.window).toMatchObject({ outstanding: 0, outstandingBytes: 0 });
    },
  );

  it('is on its way before anything is waited for when there is a slot', async () => {
    const { publish, sentOn } = await setUp();
    void publish();
    expect(sentOn(0)).toBe(1);
  });

  it('ends at its size when the broker would close the channel for it', async () => {
    const { publish, sentOn } = await setUp();
    const end = publish({ body: Buffer.alloc(11) });
    expect(await end).toEqual({ at: 'size', bytes: 11, maxBytes: 10 });
    expect(sentOn(0)).toBe(0);
  });

  it('ends at the window when no slot came free in time', async () => {
    const { publish, sentOn } = await setUp();
    void publish();
    void publish();
    const end = publish();
    await jest.advanceTimersByTimeAsync(50);
    expect(await end).toEqual({ at: 'window' });
    expect(sentOn(0)).toBe(2);
  });

  it('ends at its encoding, with why, and gives its slot back', async () => {
    const { connection, publisher, publish } = await setUp();
    jest.spyOn(connection.publishChannel, 'publish').mockImplementationOnce(() => {
      throw new TypeError('Unknown type to encode: bigint');
    });
    const problem = 'TypeError: Unknown type to encode: bigint';
    expect(await publish()).toEqual({ at: 'encoding', problem });
    expect(publisher.window.outstanding).toBe(0);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(publisher.isSilent).toBe(false);
  });

  it('is lost with its channel, and its slot is free', async () => {
    const { connection, publisher, publish } = await setUp();
    const ends = [publish(), publish()];
    connection.lose();
    expect(await Promise.all(ends)).toEqual([
      { at: 'broker', answer: 'lost' },
      { at: 'broker', answer: 'lost' },
    ]);
    expect(publisher.window.outstanding).toBe(0);
  });
});

describe('a publish without a way to the broker', () => {
  it.each<[string, (connection: FakeConnection) => void]>([
    ['blocked', (connection) => connection.block()],
    ['waiting', (connection) => connection.lose('ECONNRESET')],
  ])('ends at once while the connection is %s, and is not sent later', async (state, happen) => {
    const { connection, publisher, publish } = await setUp();
    happen(connection);
    const end: PublishEnd = { at: 'connection', state: state === 'blocked' ? 'blocked' : 'waiting' };
    expect(publisher.unusable).toEqual(end);
    expect(await publish()).toEqual(end);
    connection.comeBack();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(publisher.unusable).toBeUndefined();
    expect(connection.publishChannels.flatMap(({ sent }) => sent)).toEqual([]);
  });

  it('ends at once while the channel is being opened', async () => {
    const { connection, publisher, publish, sentOn } = await setUp();
    const opening = gate();
    connection.beforeOpen = () => opening.promise;
    connection.publishChannel.end('404');
    await settled();
    expect(publisher.isOpen).toBe(false);
    expect(await publish()).toEqual({ at: 'connection', state: 'open' });
    opening.open();
    await settled();
    expect(publisher.isOpen).toBe(true);
    expect(sentOn(1)).toBe(0);
  });

  it('gives the slot back that it had waited for', async () => {
    const { connection, publisher, publish, answer, sentOn } = await setUp();
    void publish();
    void publish();
    const waiting = publish();
    connection.block('disk');
    await answer(['acked']);
    expect(await waiting).toEqual({ at: 'connection', state: 'blocked' });
    expect(sentOn(0)).toBe(2);
    expect(publisher.window.outstanding).toBe(1);
  });
});

describe('a publish that the broker does not answer', () => {
  it('ends in silence at its deadline, and holds its slot until the answer', async () => {
    const { publisher, publish, answer } = await setUp();
    const end = publish();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await end).toEqual({ at: 'broker', answer: 'silence' });
    expect(publisher.window.outstanding).toBe(1);
    await answer(['acked']);
    expect(publisher.window.outstanding).toBe(0);
  });

  it('ends at once when an alarm starts, and holds its slot until the answer', async () => {
    const { connection, publisher, publish, answer } = await setUp();
    const ends = [publish(), publish()];
    connection.block();
    const blocked: PublishEnd = { at: 'broker', answer: 'blocked' };
    expect(await Promise.all(ends)).toEqual([blocked, blocked]);
    expect(publisher.window.outstanding).toBe(2);
    connection.comeBack();
    await answer(['acked', 'nacked']);
    expect(publisher.window.outstanding).toBe(0);
  });

  it('makes the publisher silent until the broker answers any publish', async () => {
    const { publisher, publish, answer } = await setUp();
    void publish();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(publisher.isSilent).toBe(true);
    void publish();
    expect(publisher.isSilent).toBe(true);
    await answer(['lost']);
    expect(publisher.isSilent).toBe(false);
  });
});

describe('a publish that needs a new channel', () => {
  it('goes through one, as do those after it; the old one closes after its last confirm', async () => {
    const { publish, answer, sentOn, openChannels } = await setUp();
    const early = publish();
    const probe = publish({}, NEW_CHANNEL);
    await settled();
    expect([sentOn(0), sentOn(1)]).toEqual([1, 1]);
    expect(openChannels()).toEqual([true, true]);
    await answer(['nacked'], 0);
    expect(openChannels()).toEqual([false, true]);
    await answer(['acked'], 1);
    expect(await Promise.all([early, probe])).toEqual([{ at: 'broker', answer: 'nacked' }, ACKED]);
    void publish();
    expect([sentOn(0), sentOn(1)]).toEqual([1, 2]);
  });

  it('ends at the connection when there is none to be had, and gives its slot back', async () => {
    const { connection, publisher, publish } = await setUp();
    connection.beforeOpen = () => Promise.reject(new Error('no channels left'));
    expect(await publish({}, NEW_CHANNEL)).toEqual({ at: 'connection', state: 'open' });
    expect(publisher.window.outstanding).toBe(0);
    expect(publisher.isOpen).toBe(true);
  });
});

describe('a publish whose channel the broker does not open', () => {
  it.each<[string, () => PublishVia, number]>([
    ['a new one', () => NEW_CHANNEL, 1],
    ['the one for calls', () => aCall().via, 0],
  ])('(%s) ends in a second; the channel is used once it is open', async (_which, via, ordinary) => {
    const { connection, publisher, publish, sentOn } = await setUp();
    const opening = gate();
    connection.beforeOpen = () => opening.promise;
    const end = publish({}, via());
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await end).toEqual({ at: 'connection', state: 'open' });
    expect(publisher.window.outstanding).toBe(0);
    opening.open();
    await settled();
    expect(sentOn(1)).toBe(0);
    void publish();
    expect(sentOn(ordinary)).toBe(1);
    void publish({}, aCall().via);
    await settled();
    expect(connection.publishChannel.sent).toHaveLength(1);
  });
});

function aCall() {
  const over = gate();
  const channels: PublishChannel[] = [];
  const onChannel = (channel: PublishChannel): void => void channels.push(channel);
  return { via: { call: { over: over.promise, onChannel } }, channels, end: () => over.open() };
}

describe('a call', () => {
  it('goes through a channel for replies, opened for the first call and shared by all', async () => {
    const { connection, publish, answer, sentOn, replies } = await setUp();
    expect(connection.publishChannels).toHaveLength(1);
    const calls = [aCall(), aCall()];
    const ends = calls.map(({ via }) => publish({}, via));
    await settled();
    expect(connection.publishChannels).toHaveLength(2);
    expect([sentOn(0), sentOn(1)]).toEqual([0, 2]);
    const channel = connection.publishChannel;
    expect(calls.map(({ channels }) => channels)).toEqual([[channel], [channel]]);
    const reply = { correlationId: 'c-1', body: Buffer.alloc(0), contentType: undefined, headers: {} };
    channel.onReply?.(reply);
    expect(replies).toEqual([reply]);
    await answer(['acked', 'acked'], 1);
    expect(await Promise.all(ends)).toEqual([ACKED, ACKED]);
  });

  it('leaves the channel of ordinary publishes to them', async () => {
    const { connection, publish, sentOn } = await setUp();
    void publish({}, aCall().via);
    await settled();
    void publish();
    expect([sentOn(0), sentOn(1)]).toEqual([1, 1]);
    expect(connection.publishChannels[0]?.onReply).toBeUndefined();
  });

  it('keeps its channel, whose address the worker replies to, until it is over', async () => {
    const { connection, publish, answer, openChannels } = await setUp();
    const first = aCall();
    const second = aCall();
    void publish({}, first.via);
    await settled();
    void publish({}, { ...second.via, ...NEW_CHANNEL });
    await settled();
    expect([first.channels, second.channels]).toEqual([
      [connection.publishChannels[1]],
      [connection.publishChannels[3]],
    ]);
    await answer(['acked'], 1);
    // What is refused on one channel is refused on the other: both are new.
    expect(openChannels()).toEqual([false, true, true, true]);
    first.end();
    await settled();
    expect(openChannels()).toEqual([false, false, true, true]);
  });

  it('is told when its channel is lost', async () => {
    const { connection, publish, lost } = await setUp();
    const call = aCall();
    void publish({}, call.via);
    await settled();
    connection.publishChannel.end('closed by the broker');
    await settled();
    expect(lost).toEqual(call.channels);
  });

  it('ends at the connection when its channel cannot be opened; the next call tries again', async () => {
    const { connection, publisher, publish, sentOn } = await setUp();
    connection.beforeOpen = () => Promise.reject(new Error('no channels left'));
    expect(await publish({}, aCall().via)).toEqual({ at: 'connection', state: 'open' });
    expect(publisher.window.outstanding).toBe(0);
    connection.beforeOpen = () => Promise.resolve();
    void publish({}, aCall().via);
    await settled();
    expect(sentOn(1)).toBe(1);
  });
});

describe('closing a publisher', () => {
  it('waits for outstanding confirms, refuses new publishes, then closes its channels for good', async () => {
    const { connection, publisher, publish, answer, openChannels } = await setUp();
    const end = publish();
    const onClosed = jest.fn();
    void publish({}, aCall().via);
    await settled();
    const closing = publisher.close(1_000).then(onClosed);
    expect(await publish()).toEqual({ at: 'connection', state: 'closed' });
    await answer(['acked'], 0);
    expect(onClosed).not.toHaveBeenCalled();
    await answer(['acked'], 1);
    await closing;
    expect(await end).toEqual(ACKED);
    expect(openChannels()).toEqual([false, false]);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(connection.publishChannels).toHaveLength(2);
  });

  it('refuses publishes that wait for a slot, and does not wait for them', async () => {
    const { publisher, publish, answer, sentOn } = await setUp();
    void publish();
    void publish();
    const waiting = publish();
    const closing = publisher.close(1_000);
    await answer(['acked', 'acked']);
    expect(await waiting).toEqual({ at: 'connection', state: 'closed' });
    await closing;
    expect(sentOn(0)).toBe(2);
  });

  it('refuses a publish whose new channel was still being opened, and closes that', async () => {
    const { connection, publisher, publish, openChannels } = await setUp();
    const opening = gate();
    connection.beforeOpen = () => opening.promise;
    const end = publish({}, NEW_CHANNEL);
    await settled();
    const closing = publisher.close(1_000);
    opening.open();
    expect(await end).toEqual({ at: 'connection', state: 'closed' });
    await closing;
    await settled();
    expect(openChannels()).toEqual([false, false]);
  });

  it('gives up on confirms at its deadline', async () => {
    const { publisher, publish, openChannels } = await setUp();
    const end = publish();
    const closing = publisher.close(500);
    await jest.advanceTimersByTimeAsync(500);
    await closing;
    expect(openChannels()).toEqual([false]);
    expect(await end).toEqual({ at: 'broker', answer: 'lost' });
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
});
