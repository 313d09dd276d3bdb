import { describe, expect, it, jest } from '@jest/globals';
import type { ConfirmChannel } from 'amqplib';
import { EventEmitter } from 'node:events';
import { outgoing } from '../../../../../test/support/fake-broker.js';
import { sendMessageOn } from './send-message.js';

const MESSAGE = outgoing({
  messageId: 'id-7',
  replyTo: 'amq.rabbitmq.reply-to',
  correlationId: 'c-7',
  expirationMs: 1_500,
});
const HEADERS = { 'x-own': 'yes' };

/** A confirm channel that listens to its own confirms, as the client library's does. */
class LibraryChannel extends EventEmitter {
  readonly publish = jest.fn();

  constructor() {
    super();
    for (const event of ['ack', 'nack', 'return']) this.on(event, () => undefined);
  }

  get confirmAndReturnListeners(): number[] {
    return ['ack', 'nack', 'return'].map((event) => this.listenerCount(event));
  }
}

class ChannelAsExpected extends LibraryChannel {
  readonly sendMessage = jest.fn();
}

function sendOn(channel: LibraryChannel, message = MESSAGE): void {
  sendMessageOn(channel as unknown as ConfirmChannel)(message, HEADERS);
}

describe('a message on a channel as expected', () => {
  it('is sent past the library’s list of callbacks, and all of it', () => {
    const channel = new ChannelAsExpected();
    sendOn(channel);
    expect(channel.publish).not.toHaveBeenCalled();
    expect(channel.sendMessage.mock.calls).toEqual([
      [
        { exchange: '', routingKey: 'orders', mandatory: true, immediate: false, ticket: undefined },
        {
          deliveryMode: 2,
          contentType: 'application/json',
          headers: HEADERS,
          messageId: 'id-7',
          replyTo: 'amq.rabbitmq.reply-to',
          correlationId: 'c-7',
          expiration: '1500',
        },
        MESSAGE.body,
      ],
    ]);
  });

  it('leaves no listener of the library that would empty the list', () => {
    const channel = new ChannelAsExpected();
    sendOn(channel);
    expect(channel.confirmAndReturnListeners).toEqual([0, 0, 1]);
  });

  it('expires only if it is to, and is mandatory unless it is not', () => {
    const channel = new ChannelAsExpected();
    sendOn(channel, outgoing({ isMandatory: false }));
    const [fields, properties] = channel.sendMessage.mock.calls[0] ?? [];
    expect(fields).toMatchObject({ mandatory: false });
    expect(properties).toMatchObject({ expiration: undefined, replyTo: undefined });
  });

  it('fails as the library fails', () => {
    const channel = new ChannelAsExpected();
    channel.sendMessage.mockImplementation(() => {
      throw new TypeError('Unknown type to encode: bigint');
    });
    expect(() => sendOn(channel)).toThrow('Unknown type to encode: bigint');
  });
});

describe('a message on a channel that is built in another way', () => {
  it('is sent with the library’s own publish, which keeps its listeners', () => {
    const channel = new LibraryChannel();
    sendOn(channel);
    expect(channel.publish.mock.calls).toEqual([
      [
        '',
        'orders',
        MESSAGE.body,
        {
          mandatory: true,
          persistent: true,
          contentType: 'application/json',
          headers: HEADERS,
          messageId: 'id-7',
          replyTo: 'amq.rabbitmq.reply-to',
          correlationId: 'c-7',
          expiration: 1_500,
        },
      ],
    ]);
    expect(channel.confirmAndReturnListeners).toEqual([1, 1, 1]);
  });

  it('is not mandatory when it is not', () => {
    const channel = new LibraryChannel();
    sendOn(channel, outgoing({ isMandatory: false }));
    expect(channel.publish.mock.calls[0]?.[3]).toMatchObject({ mandatory: false, expiration: undefined });
  });
});
