import { describe, expect, it, jest } from '@jest/globals';
import {
  FakeConnection,
  fakeableTimers,
  fakeTimeInEachTest,
  gate,
  outgoing,
  settled,
} from '../../../test/support/fake-broker.js';
import type { ConfirmAnswer } from './broker/broker.port.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { ReplyPublisher } = await import('./reply-publisher.js');

const REPLY = outgoing({ queue: 'amq.rabbitmq.reply-to.g1h2', isMandatory: false });
const MAY_WAIT = 100;

const closeAfterTest = fakeTimeInEachTest();

function setUp() {
  const connection = new FakeConnection();
  const open = jest.spyOn(connection, 'open');
  const options = { slotWaitMs: 50, confirmTimeoutMs: 1_000, maxMessageBytes: 1_000 };
  const replies = new ReplyPublisher(connection, options);
  closeAfterTest(() => replies.close(0));
  /** Publishes, and lets the broker answer. */
  const publishAnd = async (answer: ConfirmAnswer): Promise<void> => {
    const publishing = replies.publish(REPLY);
    await settled();
    connection.publishChannel.sent.at(-1)?.answer(answer);
    return publishing;
  };
  return { connection, open, replies, publishAnd };
}

describe('a reply', () => {
  it('is sent as it is, and resolves once the broker took it', async () => {
    const { connection, publishAnd } = setUp();
    await publishAnd('acked');
    expect(connection.publishChannel.sent.map(({ message }) => message)).toEqual([REPLY]);
  });

  it.each<ConfirmAnswer>(['nacked', 'returned', 'lost'])('is told as lost when it is %s', async (answer) => {
    const { publishAnd } = setUp();
    await expect(publishAnd(answer)).rejects.toThrow(`the broker's answer: ${answer}`);
  });

  it('is told as lost when the broker says nothing', async () => {
    const { replies } = setUp();
    const problem = replies.publish(REPLY).catch(String);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await problem).toBe("Error: the broker's answer: silence");
  });

  it('is told as not sent while the connection is away, and is not sent later', async () => {
    const { connection, replies, publishAnd } = setUp();
    await publishAnd('acked');
    connection.lose();
    await expect(replies.publish(REPLY)).rejects.toThrow('not sent (connection)');
    connection.comeBack();
    await settled();
    expect(connection.publishChannel.sent).toEqual([]);
  });
});

describe('the connection for replies', () => {
  it('is opened for the first reply, once for all of them', async () => {
    const { connection, open, replies } = setUp();
    expect(open).not.toHaveBeenCalled();
    const published = [replies.publish(REPLY), replies.publish(REPLY)];
    await settled();
    for (const sent of connection.publishChannel.sent) sent.answer('acked');
    await Promise.all(published);
    expect(open).toHaveBeenCalledTimes(1);
    expect(connection.publishChannels).toHaveLength(1);
  });

  it('is tried again by the next reply when it could not be opened', async () => {
    const { open, replies, publishAnd } = setUp();
    open.mockRejectedValueOnce(new Error('wrong password'));
    await expect(replies.publish(REPLY)).rejects.toThrow('wrong password');
    await publishAnd('acked');
    expect(open).toHaveBeenCalledTimes(2);
  });

  it('keeps so many waiting and no more', async () => {
    const { connection, open, replies, publishAnd } = setUp();
    const opening = gate();
    open.mockReturnValueOnce(opening.promise);
    const waiting = Array.from({ length: MAY_WAIT }, () => replies.publish(REPLY));
    await expect(replies.publish(REPLY)).rejects.toThrow('the connection for replies is not open yet');
    opening.open();
    await settled();
    for (const sent of connection.publishChannel.sent) sent.answer('acked');
    await Promise.all(waiting);
    expect(connection.publishChannel.sent).toHaveLength(MAY_WAIT);
    await publishAnd('acked');
  });

  it('closes with its channel, once what is on its way was answered', async () => {
    const { connection, replies } = setUp();
    const published = replies.publish(REPLY);
    await settled();
    const closing = replies.close(1_000);
    await settled();
    expect(connection.state.kind).toBe('open');
    connection.publishChannel.sent[0]?.answer('acked');
    await Promise.all([published, closing]);
    expect(connection.publishChannel.log).toEqual(['close']);
    expect(connection.state.kind).toBe('closed');
  });

  it('is not opened by its close', async () => {
    const { connection, open, replies } = setUp();
    await replies.close(1_000);
    expect(open).not.toHaveBeenCalled();
    expect(connection.state.kind).toBe('closed');
  });
});
