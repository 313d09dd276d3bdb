import { randomUUID } from 'node:crypto';
import type { OutgoingMessage } from '../broker/broker.port.js';
import type { Codec } from '../message/codec.js';
import { HEADERS } from '../message/headers.js';
import type { Publisher } from './publisher.js';

export interface PublishOptions {
  /**
   * Identity of the work. Publishing again with the same id after an unknown outcome is safe when the handler
   * writes once per id.
   * @default a random UUID
   */
  readonly messageId?: string;
  /** Headers of your own; strings, numbers and booleans travel best. Those starting with `x-dead-` are ours. */
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** Proof that the broker stored the message. */
export interface PublishReceipt {
  readonly id: string;
  readonly queue: string;
  /** True on a `drop-head` queue: newer messages may push this one out before a worker sees it. */
  readonly mayBeDropped: boolean;
}

/** The door of one queue. */
export class WorkQueue<T = unknown> {
  constructor(
    readonly name: string,
    private readonly publisher: Publisher,
    private readonly codec: Codec<T>,
    private readonly mayBeDropped: boolean,
  ) {}

  /**
   * Resolves once the broker has confirmed the message, never before.
   *
   * @throws QueueFullError, PublisherBusyError, BrokerUnavailableError, BrokerBlockedError,
   *   MessageTooLargeError: nothing was stored
   * @throws UnroutableError when the queue is gone
   * @throws ConfirmTimeoutError, ConfirmLostError: nobody knows; publish again with the same `messageId` only
   */
  async publish(payload: T, options: PublishOptions = {}): Promise<PublishReceipt> {
    const message = this.toMessage(payload, options);
    await this.publisher.publish(message);
    return { id: message.messageId, queue: this.name, mayBeDropped: this.mayBeDropped };
  }

  private toMessage(payload: T, options: PublishOptions): OutgoingMessage {
    const encoded = this.codec.encode(payload);
    const { body } = encoded;
    return {
      queue: this.name,
      body: Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength),
      messageId: options.messageId ?? randomUUID(),
      contentType: encoded.contentType,
      headers: { ...encoded.headers, ...options.headers, [HEADERS.publishedAt]: Date.now() },
    };
  }
}
