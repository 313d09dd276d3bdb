import { setTimeout as delay } from 'node:timers/promises';
import {
  type Channel,
  type ChannelModel,
  type ConfirmChannel,
  connect,
  type ConsumeMessage,
  IllegalOperationError,
} from 'amqplib';
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
  /** How long all of connecting may take: TCP, TLS and AMQP's handshake. */
  readonly connectTimeoutMs: number;
  /** Gives up connecting; of no effect once connected. */
  readonly signal: AbortSignal;
}

/** Correlates a returned message with its publish; message ids may repeat, this never does on a channel. */
const PUBLISH_ID_HEADER = 'x-publish-id';

/** The text of the error with which the client library reports a basic.nack; anything else means no answer. */
const NACKED = 'message nacked';

/** A broker that is well answers a close in milliseconds; one that is not must not keep a process from ending. */
const CLOSE_TIMEOUT_MS = 2_000;

/** One AMQP connection from open to end. It does not come back: ReconnectingConnection makes the next one. */
export class AmqpConnection {
  /** Resolves with the reason when the connection is gone. Never rejects. */
  readonly ended: Promise<string>;
  private declareChannel: Promise<Channel> | undefined;
  private declaring: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly model: ChannelModel,
    private readonly socket: AbortController,
  ) {
    let lastError = '';
    model.on('error', (error) => (lastError = error.message));
    this.ended = new Promise((resolve) => {
      // A forced close by the broker emits 'close' without 'error', so the end is read from 'close' alone.
      model.on('close', (error) => resolve(error?.message ?? (lastError || 'connection closed')));
    });
  }

  static async open(options: AmqpConnectionOptions): Promise<AmqpConnection> {
    const { signal, connectTimeoutMs } = options;
    const socket = new AbortController();
    const giveUp = (): void => socket.abort();
    const timer = setTimeout(giveUp, connectTimeoutMs);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      const connection = new AmqpConnection(await connectModel(options, socket.signal), socket);
      // A close that came in one segment with the open was over before anyone could listen; only a channel tells.
      await connection.sharedChannel();
      return connection;
    } catch (error) {
      const isTooLate = socket.signal.aborted;
      socket.abort();
      throw isTooLate ? new Error(`no answer within ${connectTimeoutMs} ms`) : error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    }
  }

  onBlocked(listener: (reason: string | undefined) => void): void {
    this.model.on('blocked', (reason: string) => listener(reason));
    this.model.on('unblocked', () => listener(undefined));
  }

  async openPublishChannel(): Promise<PublishChannel> {
    return new AmqpPublishChannel(await this.model.createConfirmChannel(), this.ended);
  }

  async openConsumeChannel(): Promise<ConsumeChannel> {
    return new AmqpConsumeChannel(await this.model.createChannel(), this.ended);
  }

  async declareQueue(name: string, queueArguments: QueueArguments): Promise<void> {
    await this.onDeclareChannel((channel) =>
      channel.assertQueue(name, { durable: true, arguments: queueArguments }),
    );
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
    await closed(this.model.close(), this.ended);
    // Whatever the broker did or did not do, the socket is gone now and keeps no process alive.
    this.socket.abort();
  }

  /**
   * Declares share one channel, one after another: a refusal (404, 406) closes it, and whatever else waited on it
   * would go down with it. The next declare opens another.
   */
  private onDeclareChannel<T>(declare: (channel: Channel) => Promise<T>): Promise<T> {
    const turn = this.declaring.then(async () => declare(await this.sharedChannel()));
    this.declaring = turn.catch(() => undefined);
    return turn;
  }

  private sharedChannel(): Promise<Channel> {
    this.declareChannel ??= this.openDeclareChannel();
    return this.declareChannel;
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

function connectModel(options: AmqpConnectionOptions, signal: AbortSignal): Promise<ChannelModel> {
  const { protocol, hostname, port, username, password, vhost } = options.url;
  const target = { protocol, hostname, port, username, password, heartbeat: options.heartbeatSeconds };
  // Without noDelay a message of more than one segment waits 40 ms for the peer's delayed ACK. The signal is an
  // option of Node's sockets, to which the library passes all it does not know.
  const socketOptions = { noDelay: true, signal, clientProperties: { connection_name: options.name } };
  // The library unescapes the vhost of an object too.
  return connect({ ...target, vhost: encodeURIComponent(vhost) }, socketOptions);
}

/** n.b. the library's close waits for the broker's answer, and for ever when the connection dies before it comes. */
async function closed(closing: Promise<void>, ended: Promise<string>): Promise<void> {
  const timer = new AbortController();
  const late = delay(CLOSE_TIMEOUT_MS, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([closing.catch(() => undefined), ended, late]);
  timer.abort();
}

/**
 * Every channel needs an 'error' listener: without one its error takes the whole connection down. The end of the
 * connection is watched too: in one segment with the answer to the open, it comes before these listeners.
 */
function whenClosed(channel: Channel, connectionEnded: Promise<string>, onEnd: () => void): Promise<string> {
  return new Promise((resolve) => {
    const end = (reason: string): void => {
      onEnd();
      resolve(reason);
    };
    channel.on('error', (error) => end(error.message));
    channel.on('close', () => end('channel closed'));
    void connectionEnded.then(end);
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

  constructor(
    private readonly channel: ConfirmChannel,
    connectionEnded: Promise<string>,
  ) {
    this.closed = whenClosed(channel, connectionEnded, () => (this.open = false));
    channel.on('return', (message) =>
      this.returnedIds.add(String(message.properties.headers?.[PUBLISH_ID_HEADER])),
    );
  }

  get isOpen(): boolean {
    return this.open;
  }

  publish(message: OutgoingMessage): Promise<ConfirmAnswer> {
    if (!this.open) return Promise.resolve('lost');
    const publishId = String(++this.publishCount);
    let onConfirm: (error: Error | null) => void = () => undefined;
    const answer = new Promise<ConfirmAnswer>((resolve) => {
      onConfirm = (error) => resolve(this.toAnswer(publishId, error));
    });
    const headers = { ...message.headers, [PUBLISH_ID_HEADER]: publishId };
    const { messageId, contentType } = message;
    const options = { mandatory: true, persistent: true, messageId, contentType, headers };
    try {
      this.channel.publish('', message.queue, message.body, options, onConfirm);
      return answer;
    } catch (error) {
      // A channel that has just closed; nothing was written. Any other error is a message that AMQP cannot carry.
      if (error instanceof IllegalOperationError) return Promise.resolve('lost');
      throw error;
    }
  }

  async close(): Promise<void> {
    await closed(this.channel.close(), this.closed);
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
