import { setTimeout as delay } from 'node:timers/promises';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import type {
  ConsumeChannel,
  PublishChannel,
  PublishChannelOptions,
  QueueArguments,
  QueueReading,
} from '../broker.port.js';
import type { BrokerUrl } from '../broker-url.js';
import { AmqpConsumeChannel } from './amqp-consume-channel.js';
import { AmqpPublishChannel } from './amqp-publish-channel.js';
import { closed } from './channel-end.js';
import { corkWrites } from './cork.js';

export interface AmqpConnectionOptions {
  readonly url: BrokerUrl;
  readonly name: string;
  readonly heartbeatSeconds: number;
  /** How long all of connecting may take: TCP, TLS and AMQP's handshake. */
  readonly connectTimeoutMs: number;
  /** Gives up connecting; of no effect once connected. */
  readonly signal: AbortSignal;
}

/** A declare takes milliseconds. */
const DECLARE_TIMEOUT_MS = 5_000;

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
    corkWrites(model);
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

  async openPublishChannel({ onReply }: PublishChannelOptions = {}): Promise<PublishChannel> {
    const channel = new AmqpPublishChannel(await this.model.createConfirmChannel(), this.ended);
    if (onReply) await channel.consumeReplies(onReply);
    return channel;
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
    const turn = this.declaring.then(async () => this.inTime(declare(await this.sharedChannel())));
    this.declaring = turn.catch(() => undefined);
    return turn;
  }

  /** A queue without a leader may never answer; what waits behind it must not wait for ever. */
  private async inTime<T>(reply: Promise<T>): Promise<T> {
    const timer = new AbortController();
    const late = delay(DECLARE_TIMEOUT_MS, undefined, { signal: timer.signal }).then(() => {
      this.abandonDeclareChannel();
      throw new Error(`the broker did not answer within ${DECLARE_TIMEOUT_MS} ms`);
    });
    late.catch(() => undefined);
    try {
      return await Promise.race([reply, late]);
    } finally {
      timer.abort();
    }
  }

  /** Its reply may still come, for nobody; another takes its place. */
  private abandonDeclareChannel(): void {
    const abandoned = this.declareChannel;
    this.declareChannel = undefined;
    void abandoned?.then((channel) => channel.close()).catch(() => undefined);
  }

  private sharedChannel(): Promise<Channel> {
    this.declareChannel ??= this.openDeclareChannel();
    return this.declareChannel;
  }

  private openDeclareChannel(): Promise<Channel> {
    const opening = this.model.createChannel().then((channel) => {
      const forget = (): void => {
        if (this.declareChannel === opening) this.declareChannel = undefined;
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

function replyCode(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}
