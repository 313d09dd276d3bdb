import type { Channel, ConsumeMessage } from 'amqplib';
import { describeThrown } from '../../errors/describe-thrown.js';
import { withinDeadline } from '../../timing/within-deadline.js';
import {
  type ConsumeChannel,
  type ConsumeRequest,
  type IncomingMessage,
  STREAM_OFFSET,
} from '../broker.port.js';
import { AckWindow } from './ack-window.js';
import { closed, whenClosed } from './channel-end.js';
import { textOf } from './property.js';

/** What the library reads of a message that it acks. */
interface NamedDelivery {
  readonly fields: { deliveryTag: number };
}

interface SettlingChannel {
  ack(delivery: NamedDelivery, isMultiple: boolean): void;
  nack(delivery: NamedDelivery, isMultiple: boolean, requeue: boolean): void;
}

/**
 * A quorum queue forgets acks that it has not come to when their channel closes, and delivers those messages again
 * (rabbitmq-server#10327; on 3.10.8 up to 457 of 5,000 at once, and none after this time, measured on a machine that was
 * not starved).
 */
const SETTLING_MS = 250;

const NO_HEADERS: IncomingMessage['headers'] = Object.freeze({});

/**
 * A channel for one consumer at a time; what it delivered can be settled here only. The acks of one turn of the event
 * loop are written together (measured with 300 B: 1.5 times as many messages a second at 100 outstanding).
 *
 * Nothing that happens in a consumer's callback ends the channel, nor does a delivery for a consumer that is no more:
 * after a cancel by itself the broker may still send one. It stays unsettled, and comes again once the channel closes.
 */
export class AmqpConsumeChannel implements ConsumeChannel {
  readonly closed: Promise<string>;
  private open = true;
  private isFlushDue = false;
  /** `performance.now()` */
  private lastSettledAt = Number.NEGATIVE_INFINITY;
  private readonly window = new AckWindow();
  private readonly settling: SettlingChannel;
  /** One for all, since the library keeps none. */
  private readonly named: NamedDelivery = { fields: { deliveryTag: 0 } };

  constructor(
    private readonly channel: Channel,
    connectionEnded: Promise<string>,
  ) {
    this.settling = channel;
    this.closed = whenClosed(channel, connectionEnded, () => (this.open = false));
    // n.b. with a listener the library survives what it throws itself over a delivery for an unknown consumer.
    channel.on('handler-error', () => undefined);
  }

  get isOpen(): boolean {
    return this.open;
  }

  get unwrittenAcks(): number {
    return this.open ? 0 : this.window.unwritten;
  }

  async consume(request: ConsumeRequest): Promise<void> {
    // Prefetch binds at basic.consume; it never touches a consumer that already runs.
    await this.channel.prefetch(request.prefetch, false);
    const { queue, consumerTag, streamOffset } = request;
    const atOffset = streamOffset === undefined ? {} : { arguments: { [STREAM_OFFSET]: streamOffset } };
    await this.channel.consume(queue, (message) => this.received(message, request), {
      consumerTag,
      ...atOffset,
    });
  }

  async cancel(consumerTag: string): Promise<void> {
    await this.channel.cancel(consumerTag);
  }

  ack(deliveryTag: number): boolean {
    if (!this.open || !this.window.ack(deliveryTag)) return false;
    if (!this.isFlushDue) {
      this.isFlushDue = true;
      setImmediate(this.flush);
    }
    return true;
  }

  giveBack(deliveryTag: number): boolean {
    if (!this.open || !this.window.giveBack(deliveryTag)) return false;
    this.lastSettledAt = performance.now();
    try {
      this.settling.nack(this.name(deliveryTag), false, true);
      return true;
    } catch {
      // The library is closing the channel; what is unsettled goes back with it.
      return false;
    }
  }

  async close(): Promise<void> {
    if (this.open) {
      this.flush();
      this.open = false;
      const settlingMs = this.lastSettledAt + SETTLING_MS - performance.now();
      if (settlingMs > 0) await withinDeadline(this.closed, settlingMs, '');
    }
    await closed(this.channel.close(), this.closed);
  }

  private readonly flush = (): void => {
    this.isFlushDue = false;
    if (!this.open || this.window.unwritten === 0) return;
    this.lastSettledAt = performance.now();
    try {
      this.window.flush(this.writeAck);
    } catch {
      // The library is closing the channel; what the window has left is counted once it has.
    }
  };

  private readonly writeAck = (tag: number, isMultiple: boolean): void => {
    this.settling.ack(this.name(tag), isMultiple);
  };

  private name(deliveryTag: number): NamedDelivery {
    this.named.fields.deliveryTag = deliveryTag;
    return this.named;
  }

  /** The library would end the channel over anything thrown here. */
  private received(message: ConsumeMessage | null, request: ConsumeRequest): void {
    try {
      if (message) this.deliver(message, request);
      else request.onCancelled();
    } catch (error) {
      process.emitWarning(`consumer ${request.consumerTag} threw: ${describeThrown(error)}`);
    }
  }

  private deliver(message: ConsumeMessage, request: ConsumeRequest): void {
    this.window.delivered(message.fields.deliveryTag);
    request.onMessage(toIncoming(message));
  }
}

function toIncoming({ fields, properties, content }: ConsumeMessage): IncomingMessage {
  return {
    deliveryTag: fields.deliveryTag,
    isRedelivered: fields.redelivered,
    body: content,
    messageId: textOf(properties.messageId),
    contentType: textOf(properties.contentType),
    contentEncoding: textOf(properties.contentEncoding),
    headers: properties.headers ?? NO_HEADERS,
    replyTo: textOf(properties.replyTo),
    correlationId: textOf(properties.correlationId),
  };
}
