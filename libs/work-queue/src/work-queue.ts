import type { Priority } from './admission/admission.js';
import { DIRECT_REPLY_TO, type IncomingReply, type OutgoingMessage } from './broker/broker.port.js';
import { describeThrown } from './errors/describe-thrown.js';
import { OutcomeUnknownError } from './errors/outcome-unknown.error.js';
import { WorkFailedError } from './errors/work-failed.error.js';
import type { Codec, EncodedPayload } from './message/codec.js';
import { HEADERS } from './message/headers.js';
import { jsonCodec } from './message/json.codec.js';
import type { MessageIds } from './message/message-id.js';
import { problemOfHeaders, problemOfId } from './message/sendable.js';
import type { Content, RecentIds } from './publish/recent-ids.js';
import type { NoReply, ReplyWaiter, ReplyWaiters } from './publish/reply-waiters.js';
import type { Preadmission, QueueDoor, SendOptions } from './queue-door.js';

export interface PublishOptions {
  /**
   * Identity of the work. Publishing again with the same id after an unknown outcome is safe when the handler
   * writes once per id. The same id with another payload is refused for as long as this process remembers the first.
   * @default 22 random characters
   */
  readonly messageId?: string | undefined;
  /** Headers of your own; strings, numbers and booleans travel best. Those starting with `x-dead-` are ours. */
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
  /** `low` is refused from a lower fill of the queue on: `shedLowAt` in the QoS file. @default normal */
  readonly priority?: Priority | undefined;
  /** When the work is no longer worth starting. A worker that gets it later dead-letters it as expired. */
  readonly deadline?: Date | undefined;
  /** With a deadline: the broker dead-letters it then by itself, once it is at the head of the queue. @default false */
  readonly expire?: boolean | undefined;
}

export interface RequestOptions extends PublishOptions {
  /** How long to wait for the result, from now, milliseconds. 0 does not wait. */
  readonly waitMs: number;
  /** Aborted when nobody wants the result any more; the work goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** Proof that the broker stored the message. */
export interface PublishReceipt {
  readonly id: string;
  readonly queue: string;
  /** True on a `drop-head` queue: newer messages may push this one out before a worker sees it. */
  readonly mayBeDropped: boolean;
}

/** The work was stored; and done in time, or why its result is not known here. */
export type RequestOutcome = { readonly receipt: PublishReceipt } & (
  | { readonly isDone: true; readonly result: unknown }
  | { readonly isDone: false; readonly because: NoReply | 'too-many-waiting' }
);

export interface WorkQueueParts<T> {
  readonly door: QueueDoor;
  readonly codec: Codec<T>;
  readonly ids: MessageIds;
  readonly recentIds: RecentIds;
  readonly waiters: ReplyWaiters;
  readonly mayBeDropped: boolean;
}

export type { Priority };

type Headers = PublishOptions['headers'];

/** One queue, for those who publish to it. */
export class WorkQueue<T = unknown> {
  constructor(
    readonly name: string,
    private readonly parts: WorkQueueParts<T>,
  ) {}

  /**
   * Resolves once the broker has confirmed the message, never before. A payload of bytes must not be changed until then.
   *
   * @throws QueueFullError, NoWorkersError, PublisherBusyError, BrokerUnavailableError, BrokerBlockedError,
   *   MessageTooLargeError, InvalidMessageError, IdempotencyConflictError: nothing was stored
   * @throws UnroutableError when the queue is gone
   * @throws ConfirmTimeoutError, ConfirmLostError: nobody knows; publish again with the same `messageId` only
   */
  async publish(payload: T, options: PublishOptions = {}): Promise<PublishReceipt> {
    const message = this.toMessage(payload, options);
    await this.send(message, options, options);
    return this.receiptOf(message);
  }

  /**
   * As `publish`, and then waits for what the handler returns. The work is stored and goes on whatever becomes of the
   * waiting. At most `maxCallers` wait at a time; who comes then does not wait.
   *
   * @throws as `publish`, and WorkFailedError when the work was dead-lettered
   */
  async request(payload: T, options: RequestOptions): Promise<RequestOutcome> {
    const startedAt = performance.now();
    const message = this.toMessage(payload, options);
    const { waitMs } = options;
    if (!(waitMs >= 0 && waitMs <= MAX_DURATION_MS))
      throw this.invalid(message, `expected waitMs to be 0 to ${MAX_DURATION_MS}, got: ${waitMs}`);
    const receipt = this.receiptOf(message);
    const because = this.parts.waiters.refusal;
    if (because) {
      await this.send(message, options, options);
      return { receipt, isDone: false, because };
    }
    const waiter = this.parts.waiters.add(this.parts.ids.next());
    try {
      await this.call(message, options, waiter);
      const reply = await waiter.within(waitMs - (performance.now() - startedAt), options.signal);
      return this.outcomeOf(reply, receipt);
    } finally {
      waiter.end();
    }
  }

  /**
   * Whether a request may go on to its publish, by what is known now: cheap, for a hook that runs before the body is
   * read. A refusal counts as one; a pass must be ended when the request is over.
   */
  preadmit({
    messageId = this.parts.ids.next(),
    priority = 'normal',
  }: Pick<PublishOptions, 'messageId' | 'priority'> = {}): Preadmission {
    return this.parts.door.preadmit(messageId, priority);
  }

  private async call(message: OutgoingMessage, options: PublishOptions, waiter: ReplyWaiter): Promise<void> {
    const { correlationId } = waiter;
    const asked = { ...message, replyTo: DIRECT_REPLY_TO, correlationId };
    try {
      await this.send(asked, options, { priority: options.priority, call: waiter });
    } catch (error) {
      // Work that was done was stored, whatever became of its confirm.
      if (!(error instanceof OutcomeUnknownError && waiter.reply)) throw error;
    }
  }

  private send(message: OutgoingMessage, options: PublishOptions, how: SendOptions): Promise<void> {
    if (options.messageId === undefined) return this.parts.door.send(message, how);
    return this.sendUnderId(message, contentOf(message, options), how);
  }

  /** An id of the caller's is remembered, so that it is not used for two things. */
  private async sendUnderId(message: OutgoingMessage, content: Content, how: SendOptions): Promise<void> {
    const { door, recentIds } = this.parts;
    const { messageId } = message;
    const claim = recentIds.claim(messageId, content);
    if (claim === 'conflict')
      throw door.reject({ messageId, reason: 'conflict', because: 'another payload' });
    try {
      await door.send(message, how);
      // Whoever claimed it first may have been refused, and have had it forgotten.
      if (claim === 'same') recentIds.claim(messageId, content);
    } catch (error) {
      if (claim === 'new' && !(error instanceof OutcomeUnknownError)) recentIds.forget(messageId);
      throw error;
    }
  }

  private receiptOf({ messageId }: OutgoingMessage): PublishReceipt {
    return { id: messageId, queue: this.name, mayBeDropped: this.parts.mayBeDropped };
  }

  private toMessage(payload: T, options: PublishOptions): OutgoingMessage {
    const hasUniqueId = options.messageId === undefined;
    const messageId = options.messageId ?? this.parts.ids.next();
    const { body, contentType, headers } = this.encode(payload, messageId);
    this.assertSendable(messageId, headers, options);
    const publishedAt = Date.now();
    const message = {
      queue: this.name,
      body: Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength),
      messageId,
      hasUniqueId,
      contentType,
      headers: { ...headers, ...options.headers, [HEADERS.publishedAt]: publishedAt },
    };
    return options.deadline === undefined
      ? message
      : this.withDeadline(message, options.deadline, options.expire);
  }

  /** What a message of ours has by itself can always be sent. */
  private assertSendable(
    messageId: string,
    ofCodec: Headers,
    { messageId: given, headers }: PublishOptions,
  ): void {
    const because =
      (given === undefined ? undefined : problemOfId(given)) ??
      (ofCodec && problemOfHeaders(ofCodec)) ??
      (headers && problemOfHeaders(headers));
    if (because !== undefined)
      throw this.parts.door.reject({ messageId, reason: 'invalid-message', because });
  }

  private encode(payload: T, messageId: string): EncodedPayload {
    try {
      return this.parts.codec.encode(payload);
    } catch (error) {
      throw this.parts.door.reject({
        messageId,
        reason: 'invalid-message',
        because: describeThrown(error),
        cause: error,
      });
    }
  }

  private withDeadline(message: OutgoingMessage, deadline: Date, expire = false): OutgoingMessage {
    // n.b. not every caller is TypeScript.
    const remainingMs = deadline instanceof Date ? deadline.getTime() - Date.now() : Number.NaN;
    if (!(remainingMs >= 0))
      throw this.invalid(message, `expected a deadline from now on, got: ${String(deadline)}`);
    const headers = { ...message.headers, [HEADERS.deadline]: deadline.getTime() };
    if (!expire) return { ...message, headers };
    if (remainingMs > MAX_DURATION_MS) {
      const atMost = `expected a deadline at most ${MAX_DURATION_MS} ms away for the broker to expire it`;
      throw this.invalid(message, `${atMost}, got: ${remainingMs}`);
    }
    return { ...message, headers, expirationMs: remainingMs };
  }

  private invalid({ messageId }: OutgoingMessage, because: string): Error {
    return this.parts.door.reject({ messageId, reason: 'invalid-message', because });
  }

  private outcomeOf(reply: IncomingReply | NoReply, receipt: PublishReceipt): RequestOutcome {
    if (typeof reply === 'string') return { receipt, isDone: false, because: reply };
    const failed = reply.headers[HEADERS.replyFailed];
    // The work is done; only its result is such that it cannot travel.
    if (failed === 'unserialisable') return { receipt, isDone: false, because: 'reply-lost' };
    if (typeof failed === 'string') throw workFailed(receipt, failed);
    const { contentType, body, headers } = reply;
    if (contentType === undefined) return { receipt, isDone: true, result: undefined };
    try {
      const result = jsonCodec.decode({
        contentType,
        contentEncoding: undefined,
        body,
        headers,
        messageId: receipt.id,
      });
      return { receipt, isDone: true, result };
    } catch {
      // Whoever sent this reply, it is none of our workers' making.
      return { receipt, isDone: false, because: 'reply-lost' };
    }
  }
}

/** The payload as encoded: body and the codec's headers, without the caller's, which may differ between two tries. */
function contentOf({ body, headers }: OutgoingMessage, options: PublishOptions): Content {
  const others = new Set([...Object.keys(options.headers ?? {}), HEADERS.publishedAt, HEADERS.deadline]);
  return { body, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !others.has(name))) };
}

function workFailed({ id, queue }: PublishReceipt, deadReason: string): WorkFailedError {
  const message = `work ${id} of queue ${queue} was dead-lettered (${deadReason})`;
  return new WorkFailedError(message, { queue, messageId: id, deadReason });
}

/** What a timer of Node's can wait, and AMQP's expiration hold. */
const MAX_DURATION_MS = 2 ** 31 - 1;
