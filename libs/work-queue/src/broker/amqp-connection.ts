import { type ChannelModel, type ConfirmChannel, type ConsumeMessage, type Channel, connect } from 'amqplib';
import type {
  ConfirmAnswer,
  ConsumeChannel,
  ConsumeRequest,
  IncomingMessage,
  OutgoingMessage,
  PublishChannel,
  QueueArguments,
  QueueReading,
} from './broker.port.js';
import type { BrokerUrl } from './broker-url.js';

export interface AmqpConnectionOptions {
  readonly url: BrokerUrl;
  readonly name: string;
  readonly heartbeatSeconds: number;
  readonly connectTimeoutMs: number;
}

/** Correlates a returned message with its publish; message ids may repeat, this never does on a channel. */
const PUBLISH_ID_HEADER = 'x-publish-id';

/** The text of the error with which the client library reports a basic.nack; anything else means no answer. */
const NACKED = 'message nacked';

/** One AMQP connection from open to end. It does not come back: ReconnectingConnection makes the next one. */
export class AmqpConnection {
  /** Resolves with the reason when the connection is gone. Never rejects. */
  readonly ended: Promise<string>;
  private declareChannel: Promise<Channel> | undefined;
  private declaring: Promise<unknown> = Promise.resolve();

  private constructor(private readonly model: ChannelModel) {
    let lastError = '';
    model.on('error', (error) => (lastError = error.message));
    this.ended = new Promise((resolve) => {
      // A forced close by the broker emits 'close' without 'error', so the end is read from 'close' alone.
      model.on('close', (error) => resolve(error?.message ?? (lastError || 'connection closed')));
    });
  }

  static async open(options: AmqpConnectionOptions): Promise<AmqpConnection> {
    const { protocol, hostname, port, username, password, vhost } = options.url;
    const model = await connect(
      // The library unescapes the vhost of an object too.
      { protocol, hostname, port, username, password, vhost: encodeURIComponent(vhost), heartbeat: options.heartbeatSeconds },
      // Without noDelay a message of more than one segment waits 40 ms for the peer's delayed ACK.
      { noDelay: true, timeout: options.connectTimeoutMs, clientProperties: { connection_name: options.name } },
    );
    return new AmqpConnection(model);
  }

  onBlocked(listener: (reason: string | undefined) => void): void {
    this.model.on('blocked', (reason: string) => listener(reason));
    this.model.on('unblocked', () => listener(undefined));
  }

  async openPublishChannel(): Promise<PublishChannel> {
    return new AmqpPublishChannel(await this.model.createConfirmChannel());
  }

  async openConsumeChannel(): Promise<ConsumeChannel> {
    return new AmqpConsumeChannel(await this.model.createChannel());
  }

  async declareQueue(name: string, queueArguments: QueueArguments): Promise<void> {
    await this.onDeclareChannel((channel) => channel.assertQueue(name, { durable: true, arguments: queueArguments }));
  }

  async inspectQueue(name: string): Promise<QueueReading | undefined> {
    try {
      const reply = await this.onDeclareChannel((channel) => channel.checkQueue(name));
      return { readyMessages: reply.messageCount, consumers: reply.consumerCount };
    } catch (error) {
      if (replyCode(error) === 404) return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.model.close().catch(() => undefined);
  }

  /**
   * Declares share one channel, one after another: a refusal (404, 406) closes it, and whatever else waited on it
   * would go down with it. The next declare opens another.
   */
  private onDeclareChannel<T>(declare: (channel: Channel) => Promise<T>): Promise<T> {
    const turn = this.declaring.then(async () => {
      this.declareChannel ??= this.openDeclareChannel();
      return declare(await this.declareChannel);
    });
    this.declaring = turn.catch(() => undefined);
    return turn;
  }

  private openDeclareChannel(): Promise<Channel> {
    const opening = this.model.createChannel().then((channel) => {
      const forget = (): void => {
        this.declareChannel = undefined;
      };
      // An 'error' nobody listens to takes the whole connection down.
      channel.on('error', forget);
      channel.on('close', forget);
      return channel;
    });
    opening.catch(() => (this.declareChannel = undefined));
    return opening;
  }
}

/** Every channel needs an 'error' listener: without one its error takes the whole connection down. */
function whenClosed(channel: Channel, onEnd: () => void): Promise<string> {
  return new Promise((resolve) => {
    const end = (reason: string): void => {
      onEnd();
      resolve(reason);
    };
    channel.on('error', (error) => end(error.message));
    channel.on('close', () => end('channel closed'));
  });
}

function replyCode(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

class AmqpPublishChannel implements PublishChannel {
  readonly closed: Promise<string>;
  private open = true;
  private publishCount = 0;
  private readonly returnedIds = new Set<string>();

  constructor(private readonly channel: ConfirmChannel) {
    this.closed = whenClosed(channel, () => (this.open = false));
    channel.on('return', (message) => this.returnedIds.add(String(message.properties.headers?.[PUBLISH_ID_HEADER])));
  }

  get isOpen(): boolean {
    return this.open;
  }

  publish(message: OutgoingMessage): Promise<ConfirmAnswer> {
    if (!this.open) return Promise.resolve('lost');
    const publishId = String(++this.publishCount);
    return new Promise((resolve) => {
      const onConfirm = (error: Error | null): void => resolve(this.toAnswer(publishId, error));
      try {
        this.channel.publish('', message.queue, message.body, {
          mandatory: true,
          persistent: true,
          messageId: message.messageId,
          contentType: message.contentType,
          headers: { ...message.headers, [PUBLISH_ID_HEADER]: publishId },
        }, onConfirm);
      } catch {
        // Only a channel that has just closed throws here; nothing was written.
        resolve('lost');
      }
    });
  }

  async close(): Promise<void> {
    await this.channel.close().catch(() => undefined);
  }

  /** A return comes before its ack, so by now it is known. */
  private toAnswer(publishId: string, error: Error | null): ConfirmAnswer {
    const wasReturned = this.returnedIds.delete(publishId);
    if (error) return error.message === NACKED ? 'nacked' : 'lost';
    return wasReturned ? 'returned' : 'acked';
  }
}

class AmqpConsumeChannel implements ConsumeChannel {
  readonly closed: Promise<string>;
  private open = true;
  /** Deliveries of this channel that are not settled: what may be acked, and at most once. */
  private readonly unsettled = new Map<number, ConsumeMessage>();

  constructor(private readonly channel: Channel) {
    this.closed = whenClosed(channel, () => {
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
    await this.channel.close().catch(() => undefined);
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
  const { messageId, contentType, headers } = message.properties;
  return {
    deliveryTag: message.fields.deliveryTag,
    isRedelivered: message.fields.redelivered,
    body: message.content,
    messageId: typeof messageId === 'string' ? messageId : undefined,
    contentType: typeof contentType === 'string' ? contentType : undefined,
    headers: headers ?? {},
  };
}
