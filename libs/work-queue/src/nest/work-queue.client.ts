import { ClientProxy, type ReadPacket, RmqRecord, type WritePacket } from '@nestjs/microservices';
import { HEADERS } from '../message/headers.js';
import type { PublishReceipt, WorkQueue } from '../work-queue.js';

export interface WorkQueueClientOptions {
  readonly queue: WorkQueue;
}

/**
 * NestJS client of a work queue: `client.emit(pattern, payload)` publishes with a confirm and errors with the typed
 * errors of `WorkQueue.publish`.
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

  constructor(options: WorkQueueClientOptions) {
    super();
    this.queue = options.queue;
  }

  /** The connection is the module's; there is nothing to open or close here. */
  async connect(): Promise<void> {}

  async close(): Promise<void> {}

  // NestJS's contract: the caller says what it expects to get.
  unwrap<T>(): T {
    return this.queue as T;
  }

  protected publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const pattern = this.normalizePattern(packet.pattern);
    callback({
      err: new Error(
        `send(${pattern}) wants a reply, which a work queue does not carry: use emit, or another transport`,
      ),
      isDisposed: true,
    });
    return () => undefined;
  }

  // NestJS's contract again: emit's caller names the result.
  protected async dispatchEvent<T = unknown>(packet: ReadPacket): Promise<T> {
    const { data, headers, messageId } = unpack(packet.data);
    const pattern = this.normalizePattern(packet.pattern);
    const receipt: PublishReceipt = await this.queue.publish(data, {
      messageId,
      headers: { ...headers, [HEADERS.pattern]: pattern },
    });
    return receipt as T;
  }
}

interface Unpacked {
  readonly data: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly messageId?: string;
}

/** What RmqRecordBuilder made keeps its headers and message id; its other options are the queue's business here. */
function unpack(data: unknown): Unpacked {
  if (!(data instanceof RmqRecord)) return { data };
  return { data: data.data, headers: data.options?.headers, messageId: data.options?.messageId };
}
