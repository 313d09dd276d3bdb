import type { IncomingMessage } from '../broker/broker.port.js';
import { countIn, HEADERS } from '../message/headers.js';
import { ownBytes } from '../message/own-bytes.js';
import { AttemptContext } from './attempt-context.js';
import type { RunInThread, ThreadTransfer } from './run-in-thread.js';

export interface WorkContextInput {
  readonly queue: string;
  readonly messageId: string;
  readonly message: IncomingMessage;
  /** Runs the handler's thread module; undefined when the handler has none. */
  readonly runInThread?: RunInThread | undefined;
}

/** What a handler gets with `@Ctx()`: everything about the message but its payload. */
export class WorkContext extends AttemptContext {
  readonly queue: string;
  /**
   * Identity of the work: the same for every delivery of it. Write once per id and redelivery is harmless. A message
   * that its publisher gave none has a new one for each delivery; `WorkQueue.publish` always gives one.
   */
  readonly messageId: string;
  readonly headers: Readonly<Record<string, unknown>>;
  /** The broker has handed this message out before; whether that attempt did anything is not known. */
  readonly isRedelivered: boolean;
  /** Counts from 1, over all processes that tried. */
  readonly attempt: number;
  private readonly published: Buffer;
  private own: Buffer | undefined;
  private readonly runInThread: RunInThread | undefined;

  constructor(input: WorkContextInput) {
    super();
    const { message } = input;
    this.queue = input.queue;
    this.messageId = input.messageId;
    this.headers = message.headers;
    this.published = message.body;
    this.isRedelivered = message.isRedelivered;
    this.attempt = countIn(message.headers, HEADERS.attempts) + 1;
    this.runInThread = input.runInThread;
  }

  /** The bytes as they were published; a copy, made when it is first asked for. */
  get body(): Buffer {
    return (this.own ??= ownBytes(this.published));
  }

  /** When the publisher sent it; undefined when it did not say. */
  get publishedAt(): Date | undefined {
    return dateOf(this.headers[HEADERS.publishedAt]);
  }

  /** When the work is no longer worth starting: no attempt begins after it. Undefined when it always is. */
  get deadline(): Date | undefined {
    return dateOf(this.headers[HEADERS.deadline]);
  }

  /**
   * Runs the default export of the handler's `threads` module with this input, in a thread of the handler's pool. The
   * thread is stopped when `signal` aborts.
   *
   * @param transfer buffers to hand over rather than to copy; they are empty here afterwards
   * @throws TypeError when the handler names no `threads` module; whatever the function throws
   */
  async inThread<T = unknown>(input: unknown, transfer?: ThreadTransfer): Promise<T> {
    if (!this.runInThread) {
      throw new TypeError(
        `the handler of ${this.queue} has no threads module: write @WorkHandler('${this.queue}', { threads: new URL('./some.thread.js', import.meta.url) })`,
      );
    }
    // What comes back is whatever the module's function returned: its caller knows.
    return (await this.runInThread(input, { signal: this.signal, transfer })) as T;
  }
}

/** Numbers beyond what a Date can hold are as much nonsense as text. */
function dateOf(header: unknown): Date | undefined {
  if (typeof header !== 'number') return undefined;
  const date = new Date(header);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
