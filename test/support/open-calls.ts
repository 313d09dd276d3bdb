import type { ConfirmAnswer, IncomingReply } from '../../libs/work-queue/src/broker/broker.port.js';
import { jsonCodec } from '../../libs/work-queue/src/message/json.codec.js';
import { MessageIds } from '../../libs/work-queue/src/message/message-id.js';
import { RecentIds } from '../../libs/work-queue/src/publish/recent-ids.js';
import { ReplyWaiters } from '../../libs/work-queue/src/publish/reply-waiters.js';
import { type RequestOptions, type RequestOutcome, WorkQueue } from '../../libs/work-queue/src/work-queue.js';
import { type SentMessage, settled } from './fake-broker.js';
import { OpenDoor } from './open-door.js';

/** A call that was begun; its end is here once it has one. */
export interface Call {
  end: RequestOutcome | Error | undefined;
  /** Undefined when it reached no broker. */
  sent: SentMessage | undefined;
}

const EMPTY: IncomingReply = {
  correlationId: undefined,
  body: Buffer.alloc(0),
  contentType: undefined,
  headers: {},
};

/** Callers of one queue, with broker and worker by hand. Close it. */
export class OpenCalls {
  readonly queue: WorkQueue;

  private constructor(
    readonly orders: OpenDoor,
    readonly waiters: ReplyWaiters,
  ) {
    const { door } = orders;
    const recentIds = new RecentIds(10);
    const parts = { door, codec: jsonCodec, ids: new MessageIds(), recentIds, waiters, mayBeDropped: false };
    this.queue = new WorkQueue('orders', parts);
  }

  static async open({ maxCallers = 10 } = {}): Promise<OpenCalls> {
    const waiters = new ReplyWaiters(maxCallers);
    return new OpenCalls(await OpenDoor.open({ window: 100 }, waiters), waiters);
  }

  /** Begins a call that waits 500 ms. */
  async call(options: Partial<RequestOptions> = {}, payload: unknown = { a: 1 }): Promise<Call> {
    const call: Call = { end: undefined, sent: undefined };
    const before = new Set(this.orders.sent);
    void this.queue.request(payload, { waitMs: 500, messageId: 'id-1', ...options }).then(
      (outcome) => (call.end = outcome),
      (error: Error) => (call.end = error),
    );
    await settled();
    call.sent = this.orders.sent.find((sent) => !before.has(sent));
    return call;
  }

  async confirm({ sent }: Call, answer: ConfirmAnswer = 'acked'): Promise<void> {
    sent?.answer(answer);
    await settled();
  }

  /** The worker's answer, over the channel that was opened last; empty without a payload. */
  async reply({ sent }: Call, payload?: unknown, headers: IncomingReply['headers'] = {}): Promise<void> {
    const content = payload === undefined ? {} : { ...jsonOf(payload), headers };
    await this.receive({ correlationId: sent?.message.correlationId, ...content });
  }

  async receive(reply: Partial<IncomingReply>): Promise<void> {
    this.orders.connection.publishChannel.onReply?.({ ...EMPTY, ...reply });
    await settled();
  }

  close(): Promise<void> {
    return this.orders.close();
  }
}

function jsonOf(payload: unknown): Pick<IncomingReply, 'body' | 'contentType'> {
  return { body: Buffer.from(JSON.stringify(payload)), contentType: 'application/json' };
}
