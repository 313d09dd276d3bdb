import type { Channel, ConsumeMessage } from 'amqplib';
import type { ConsumeChannel, ConsumeRequest, IncomingMessage } from '../broker.port.js';
import { closed, whenClosed } from './channel-end.js';
import { textOf } from './property.js';

/** A channel for one consumer at a time; what it delivered can be settled here only. */
export class AmqpConsumeChannel implements ConsumeChannel {
  readonly closed: Promise<string>;
  private open = true;
  /** Deliveries of this channel that are not settled: what may be acked, and at most once. */
  private readonly unsettled = new Map<number, ConsumeMessage>();

  constructor(
    private readonly channel: Channel,
    connectionEnded: Promise<string>,
  ) {
    this.closed = whenClosed(channel, connectionEnded, () => {
      this.open = false;
      this.unsettled.clear();
    });
  }

  get isOpen(): boolean {
    return this.open;
  }

  async consume(request: ConsumeRequest): Promise<void> {
    // Prefetch binds at basic.consume; it never touches a consumer that already runs.
    await this.channel.prefetch(request.prefetch, false);
    await this.channel.consume(
      request.queue,
      (message) => (message ? this.deliver(message, request) : request.onCancelled()),
      { consumerTag: request.consumerTag },
    );
  }

  async cancel(consumerTag: string): Promise<void> {
    await this.channel.cancel(consumerTag);
  }

  ack(deliveryTag: number): boolean {
    return this.settle(deliveryTag, (message) => this.channel.ack(message));
  }

  giveBack(deliveryTag: number): boolean {
    return this.settle(deliveryTag, (message) => this.channel.nack(message, false, true));
  }

  async close(): Promise<void> {
    await closed(this.channel.close(), this.closed);
  }

  private deliver(message: ConsumeMessage, request: ConsumeRequest): void {
    this.unsettled.set(message.fields.deliveryTag, message);
    request.onMessage(toIncoming(message));
  }

  private settle(deliveryTag: number, send: (message: ConsumeMessage) => void): boolean {
    const message = this.unsettled.get(deliveryTag);
    if (!this.open || !message) return false;
    this.unsettled.delete(deliveryTag);
    try {
      send(message);
      return true;
    } catch {
      // The channel closed between the look and the write.
      return false;
    }
  }
}

function toIncoming(message: ConsumeMessage): IncomingMessage {
  const { headers } = message.properties;
  return {
    deliveryTag: message.fields.deliveryTag,
    isRedelivered: message.fields.redelivered,
    body: message.content,
    messageId: textOf(message.properties.messageId),
    contentType: textOf(message.properties.contentType),
    headers: headers ?? {},
    replyTo: textOf(message.properties.replyTo),
    correlationId: textOf(message.properties.correlationId),
  };
}
