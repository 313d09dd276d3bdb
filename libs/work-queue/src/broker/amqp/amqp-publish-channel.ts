import { type ConfirmChannel, IllegalOperationError, type Message } from 'amqplib';
import {
  DIRECT_REPLY_TO,
  type IncomingReply,
  type OutgoingMessage,
  type PendingPublish,
  type PublishChannel,
} from '../broker.port.js';
import { closed, whenClosed } from './channel-end.js';
import { ConfirmTags } from './confirm-tags.js';
import { textOf } from './property.js';
import { type SendMessage, sendMessageOn } from './send-message.js';

/** Tells returned messages with the same message id apart. */
const PUBLISH_ID_HEADER = 'x-publish-id';

/** A confirm channel: every publish gets an answer, or is lost with the channel. */
export class AmqpPublishChannel implements PublishChannel {
  readonly closed: Promise<string>;
  private open = true;
  private readonly tags = new ConfirmTags();
  private readonly send: SendMessage;

  constructor(
    private readonly channel: ConfirmChannel,
    connectionEnded: Promise<string>,
  ) {
    this.send = sendMessageOn(channel);
    this.closed = whenClosed(channel, connectionEnded, () => this.ended());
    channel.on('return', (message) => this.returned(message));
    channel.on('ack', ({ deliveryTag, multiple }) => this.tags.confirmed(deliveryTag, multiple, 'acked'));
    channel.on('nack', ({ deliveryTag, multiple }) => this.tags.confirmed(deliveryTag, multiple, 'nacked'));
  }

  get isOpen(): boolean {
    return this.open;
  }

  publish(message: OutgoingMessage, pending: PendingPublish): void {
    if (!this.open) return pending.answered('lost');
    const { messageId, hasUniqueId = false } = message;
    const publishId = this.tags.publishIdFor(messageId, hasUniqueId);
    try {
      this.send(message, withPublishId(message.headers, publishId));
    } catch (error) {
      // A channel that has just closed; nothing was written. Any other error is a message that AMQP cannot carry.
      if (error instanceof IllegalOperationError) return pending.answered('lost');
      throw error;
    }
    this.tags.add(pending, hasUniqueId, publishId);
  }

  idle(): Promise<void> {
    return this.tags.idle();
  }

  /** The broker gives this channel an address for replies; what is published here may name it. */
  async consumeReplies(onReply: (reply: IncomingReply) => void): Promise<void> {
    const deliver = (message: Message | null): void => {
      if (message) onReply(toReply(message));
    };
    await this.channel.consume(DIRECT_REPLY_TO, deliver, { noAck: true });
  }

  async close(): Promise<void> {
    await closed(this.channel.close(), this.closed);
  }

  private returned({ properties }: Message): void {
    const publishId = textOf(properties.headers?.[PUBLISH_ID_HEADER]);
    this.tags.markReturned(String(properties.messageId), publishId);
  }

  private ended(): void {
    this.open = false;
    this.tags.lose();
  }
}

/** Whatever stands there already is of an earlier publish, or somebody else's. */
function withPublishId(
  headers: OutgoingMessage['headers'],
  publishId: string | undefined,
): OutgoingMessage['headers'] {
  if (publishId === undefined && !(PUBLISH_ID_HEADER in headers)) return headers;
  return { ...headers, [PUBLISH_ID_HEADER]: publishId };
}

function toReply({ content, properties }: Message): IncomingReply {
  return {
    correlationId: textOf(properties.correlationId),
    body: content,
    contentType: textOf(properties.contentType),
    headers: properties.headers ?? {},
  };
}
