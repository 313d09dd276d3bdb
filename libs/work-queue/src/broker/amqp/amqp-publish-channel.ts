import { type ConfirmChannel, IllegalOperationError, type Options } from 'amqplib';
import {
  DIRECT_REPLY_TO,
  type IncomingReply,
  type OutgoingMessage,
  type PublishChannel,
} from '../broker.port.js';
import { closed, whenClosed } from './channel-end.js';
import { ConfirmTags, type OnAnswer } from './confirm-tags.js';
import { textOf } from './property.js';

/** Correlates a returned message with its publish; message ids may repeat, this never does on a channel. */
const PUBLISH_ID_HEADER = 'x-publish-id';

type Publish = (exchange: string, routingKey: string, content: Buffer, options: Options.Publish) => boolean;

/** A confirm channel: every publish gets an answer, or is lost with the channel. */
export class AmqpPublishChannel implements PublishChannel {
  readonly closed: Promise<string>;
  private open = true;
  private readonly tags = new ConfirmTags();
  private readonly send: Publish;

  constructor(
    private readonly channel: ConfirmChannel,
    connectionEnded: Promise<string>,
  ) {
    this.send = untrackedPublish(channel);
    this.closed = whenClosed(channel, connectionEnded, () => this.ended());
    channel.on('return', (message) =>
      this.tags.returned(String(message.properties.headers?.[PUBLISH_ID_HEADER])),
    );
    channel.on('ack', ({ deliveryTag, multiple }) => this.tags.confirmed(deliveryTag, multiple, 'acked'));
    channel.on('nack', ({ deliveryTag, multiple }) => this.tags.confirmed(deliveryTag, multiple, 'nacked'));
  }

  get isOpen(): boolean {
    return this.open;
  }

  publish(message: OutgoingMessage, onAnswer: OnAnswer): void {
    if (!this.open) return onAnswer('lost');
    const options = optionsOf(message, this.tags.nextPublishId);
    try {
      this.send('', message.queue, message.body, options);
    } catch (error) {
      // A channel that has just closed; nothing was written. Any other error is a message that AMQP cannot carry.
      if (error instanceof IllegalOperationError) return onAnswer('lost');
      throw error;
    }
    this.tags.sent(onAnswer);
  }

  /** The broker gives this channel an address for replies; what is published here may name it. */
  async consumeReplies(onReply: (reply: IncomingReply) => void): Promise<void> {
    await this.channel.consume(
      DIRECT_REPLY_TO,
      (message) => {
        if (!message) return;
        const { correlationId, contentType, headers } = message.properties;
        onReply({
          correlationId: textOf(correlationId),
          body: message.content,
          contentType: textOf(contentType),
          headers: headers ?? {},
        });
      },
      { noAck: true },
    );
  }

  async close(): Promise<void> {
    await closed(this.channel.close(), this.closed);
  }

  private ended(): void {
    this.open = false;
    this.tags.lose();
  }
}

function optionsOf(message: OutgoingMessage, publishId: string): Options.Publish {
  const { messageId, contentType, replyTo, correlationId, expirationMs, isMandatory } = message;
  return {
    mandatory: isMandatory ?? true,
    persistent: true,
    messageId,
    contentType,
    replyTo,
    correlationId,
    expiration: expirationMs,
    headers: { ...message.headers, [PUBLISH_ID_HEADER]: publishId },
  };
}

/**
 * The client library's confirm channel keeps a list of callbacks that stops shrinking once acks came out of order and
 * together. Below it lies the same publish without the list. Should a later version be built in another way, its own
 * publish is used, with the list and the listeners that empty it.
 */
function untrackedPublish(channel: ConfirmChannel): Publish {
  const base: unknown = Object.getPrototypeOf(Object.getPrototypeOf(channel));
  const publish: unknown = typeof base === 'object' && base !== null ? Reflect.get(base, 'publish') : undefined;
  if (!isPublish(publish)) return (...message) => channel.publish(...message);
  channel.removeAllListeners('ack');
  channel.removeAllListeners('nack');
  return publish.bind(channel);
}

function isPublish(value: unknown): value is Publish {
  return typeof value === 'function';
}
