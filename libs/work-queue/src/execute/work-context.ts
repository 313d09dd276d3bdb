import type { IncomingMessage } from '../broker/broker.port.js';
import { HEADERS } from '../message/headers.js';

export interface WorkContextInput {
  readonly queue: string;
  readonly messageId: string;
  readonly message: IncomingMessage;
}

/** What a handler gets with `@Ctx()`: everything about the message but its payload. */
export class WorkContext {
  readonly queue: string;
  /**
   * Identity of the work: the same for every delivery of it. Write once per id and redelivery is harmless. A message
   * that its publisher gave none has a new one for each delivery; `WorkQueue.publish` always gives one.
   */
  readonly messageId: string;
  readonly headers: Readonly<Record<string, unknown>>;
  /** The bytes as they were published. */
  readonly body: Buffer;
  /** The broker has handed this message out before; whether that attempt did anything is not known. */
  readonly isRedelivered: boolean;
  /** When the publisher sent it; undefined when it did not say. */
  readonly publishedAt: Date | undefined;
  /** When the work is no longer worth starting: no attempt begins after it. Undefined when it always is. */
  readonly deadline: Date | undefined;
  /** Counts from 1 in this process; it starts again when the message is delivered again. */
  attempt = 1;
  /** Aborts when the attempt's `timeout` has passed or the process must end. Pass it on to what you await. */
  signal: AbortSignal = new AbortController().signal;

  constructor(input: WorkContextInput) {
    const { message } = input;
    this.queue = input.queue;
    this.messageId = input.messageId;
    this.headers = message.headers;
    this.body = message.body;
    this.isRedelivered = message.isRedelivered;
    this.publishedAt = dateOf(message.headers[HEADERS.publishedAt]);
    this.deadline = dateOf(message.headers[HEADERS.deadline]);
  }
}

/** Numbers beyond what a Date can hold are as much nonsense as text. */
function dateOf(header: unknown): Date | undefined {
  if (typeof header !== 'number') return undefined;
  const date = new Date(header);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
