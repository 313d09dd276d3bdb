import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import { Socket } from 'node:net';
import { AmqpPublishChannel } from '../../libs/work-queue/src/broker/amqp/amqp-publish-channel.js';
import { corkWrites } from '../../libs/work-queue/src/broker/amqp/cork.js';
import type {
  ConfirmAnswer,
  OutgoingMessage,
  PublishChannel,
} from '../../libs/work-queue/src/broker/broker.port.js';
import { outgoing } from '../support/fake-broker.js';
import { createVhost, type TestVhost } from '../support/vhost.js';

let vhost: TestVhost;
let model: ChannelModel;
let library: ConfirmChannel;

beforeEach(async () => {
  vhost = await createVhost();
  model = await connect(vhost.url);
  library = await model.createConfirmChannel();
  await library.assertQueue('orders', { arguments: { 'x-queue-type': 'quorum' } });
});

afterEach(async () => {
  jest.restoreAllMocks();
  await model.close();
  await vhost.delete();
});

function channelOn(channel: ConfirmChannel): PublishChannel {
  return new AmqpPublishChannel(channel, new Promise(() => undefined));
}

/** The client library as another version of it may be: no channel of it has what we reach for. */
function builtDifferently(channel: ConfirmChannel): ConfirmChannel {
  return new Proxy(channel, {
    get: (target, name) => {
      if (name === 'sendMessage') return undefined;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

/** Publishes all in one turn of the event loop. */
function publishAll(
  channel: PublishChannel,
  count: number,
  toMessage: (index: number) => Partial<OutgoingMessage> = () => ({}),
): Promise<ConfirmAnswer[]> {
  const answers = Array.from({ length: count }, (_one, index) => {
    const message = outgoing({ messageId: `id-${index}`, ...toMessage(index) });
    return new Promise<ConfirmAnswer>((answered) =>
      channel.publish(message, { messageId: message.messageId, answered }),
    );
  });
  return Promise.all(answers);
}

/** Messages of two kinds by turns, which the broker confirms at different times. */
function byTurns(index: number): Partial<OutgoingMessage> {
  return { queue: index % 2 === 0 ? 'orders' : 'missing' };
}

function callbacksOf(channel: ConfirmChannel): unknown {
  return Reflect.get(channel, 'unconfirmed');
}

function countSocketWrites(): () => number {
  const single = jest.spyOn(Socket.prototype, '_write');
  const together = jest.spyOn(Socket.prototype as Required<Socket>, '_writev');
  return () => single.mock.calls.length + together.mock.calls.length;
}

describe('the client library', () => {
  it('writes to the socket less often than there are messages once it is corked', async () => {
    expect(corkWrites(model)).toBe(true);
    const writes = countSocketWrites();
    const answers = await publishAll(channelOn(library), 1_000);
    expect(new Set(answers)).toEqual(new Set(['acked']));
    expect(writes()).toBeLessThan(100);
  });

  it('writes each message on its own without, which is why it is corked', async () => {
    const writes = countSocketWrites();
    await publishAll(channelOn(library), 1_000);
    expect(writes()).toBeGreaterThanOrEqual(1_000);
  });

  it('has an empty list of callbacks after 10,000 publishes that were confirmed out of order', async () => {
    const tags: number[] = [];
    const channel = channelOn(library);
    library.on('ack', ({ deliveryTag }: { deliveryTag: number }) => tags.push(deliveryTag));
    const answers = await publishAll(channel, 10_000, byTurns);
    expect(answers.filter((answer) => answer === 'acked')).toHaveLength(5_000);
    expect(answers.filter((answer) => answer === 'returned')).toHaveLength(5_000);
    expect(tags.some((tag, index) => tag < (tags[index - 1] ?? 0))).toBe(true);
    expect(callbacksOf(library)).toEqual([]);
  });

  it('may be built in another way: every publish still gets its answer', async () => {
    const answers = await publishAll(channelOn(builtDifferently(library)), 1_000, byTurns);
    expect(answers.map((answer) => answer === 'acked')).toEqual(
      answers.map((_one, index) => index % 2 === 0),
    );
    expect(answers[1]).toBe('returned');
  });

  it.each([
    ['as expected', (channel: ConfirmChannel) => channel],
    ['in another way', builtDifferently],
  ])('carries the same message when it is built %s', async (_how, build) => {
    const sent = {
      body: Buffer.from('{"total":7}'),
      messageId: 'id-7',
      headers: { 'x-own': 'yes', 'x-count': 7 },
      correlationId: 'c-7',
      expirationMs: 60_000,
    };
    await publishAll(channelOn(build(library)), 1, () => sent);
    const message = await library.get('orders', { noAck: true });
    expect(message).toMatchObject({
      content: sent.body,
      properties: {
        contentType: 'application/json',
        deliveryMode: 2,
        headers: sent.headers,
        messageId: 'id-7',
        correlationId: 'c-7',
        expiration: '60000',
        replyTo: undefined,
      },
    });
  });
});
