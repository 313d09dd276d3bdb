import { ClientProxy, type ReadPacket, RmqRecord, type WritePacket } from '@nestjs/microservices';
import { HEADERS } from '../message/headers.js';
import type { PublishOptions, PublishReceipt, WorkQueue } from '../work-queue.js';

export interface WorkQueueClientOptions {
  readonly queue: WorkQueue;
  /** How long `send` waits for a result, milliseconds. Too low: errors for work that is done a moment later. @default 10000 */
  readonly replyTimeoutMs?: number;
}

const DEFAULT_REPLY_TIMEOUT_MS = 10_000;

/**
 * NestJS client of a work queue: `client.emit(pattern, payload)` publishes with a confirm, `client.send(pattern,
 * payload)` waits for what the handler returns too. Both error with the typed errors of `WorkQueue`. Without a result
 * in time `send` errors, and the work goes on.
 *
 * @example
 * ClientsModule.registerAsync([{
 *   name: 'CATS',
 *   inject: [workQueueToken('cats')],
 *   useFactory: (queue: WorkQueue) => ({ customClass: WorkQueueClient, options: { queue } }),
 * }])
 */
export class WorkQueueClient extends ClientProxy {
  private readonly queue: WorkQueue;
  private readonly replyTimeoutMs: number;

  constructor(options: WorkQueueClientOptions) {
    super();
    this.queue = options.queue;
    this.replyTimeoutMs = options.replyTimeoutMs ?? DEFAULT_REPLY_TIMEOUT_MS;
  }

  /** The connection is the module's; there is nothing to open or close here. */
  async connect(): Promise<void> {}

  async close(): Promise<void> {}

  // NestJS's contract: the caller says what it expects to get.
  unwrap<T>(): T {
    return this.queue as T;
  }

  protected publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const unsubscribed = new AbortController();
    void this.answer(packet, callback, unsubscribed.signal);
    return () => unsubscribed.abort();
  }

  private async answer(
    packet: ReadPacket,
    callback: (packet: WritePacket) => void,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      callback({ response: await this.request(packet, signal), isDisposed: true });
    } catch (err) {
      callback({ err, isDisposed: true });
    }
  }

  // NestJS's contract again: emit's caller names the result.
  protected async dispatchEvent<T = unknown>(packet: ReadPacket): Promise<T> {
    const { data, options } = this.unpack(packet);
    const receipt: PublishReceipt = await this.queue.publish(data, options);
    return receipt as T;
  }

  private async request(packet: ReadPacket, signal: AbortSignal): Promise<unknown> {
    const { data, options } = this.unpack(packet);
    const waitMs = this.replyTimeoutMs;
    const outcome = await this.queue.request(data, { ...options, waitMs, signal });
    if (outcome.isDone) return outcome.result;
    throw new Error(
      `no result of ${this.normalizePattern(packet.pattern)} within ${waitMs} ms (${outcome.because}); the work is stored as ${outcome.receipt.id} and goes on`,
    );
  }

  /** The pattern travels in a header, so that the payload is what a handler of any kind expects. */
  private unpack(packet: ReadPacket): { data: unknown; options: PublishOptions } {
    const { data, headers, messageId } = unpackRecord(packet.data);
    const pattern = this.normalizePattern(packet.pattern);
    return { data, options: { messageId, headers: { ...headers, [HEADERS.pattern]: pattern } } };
  }
}

interface Unpacked {
  readonly data: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly messageId?: string;
}

/** What RmqRecordBuilder made keeps its headers and message id; its other options are the queue's business here. */
function unpackRecord(data: unknown): Unpacked {
  if (!(data instanceof RmqRecord)) return { data };
  return { data: data.data, headers: data.options?.headers, messageId: data.options?.messageId };
}
