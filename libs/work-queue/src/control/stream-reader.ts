import { type BrokerConnection, type ConsumeChannel, STREAM_OFFSET } from '../broker/broker.port.js';
import type { IncomingMessage, StreamOffset } from '../broker/broker.port.js';
import { withinDeadline } from '../timing/within-deadline.js';

export interface StreamReaderOptions {
  readonly stream: string;
  readonly from: StreamOffset;
  /** Closes the reader. */
  readonly signal: AbortSignal;
  /** Must not throw. Not called any more once the reader is closed. */
  onEntry(offset: number, body: Buffer): void;
}

/** The broker sends on as entries are acked, which is at once. */
const PREFETCH = 500;
const CONSUMER_TAG = 'plan-log';
/** No consumer has this tag. */
const FENCE_TAG = 'plan-log-fence';
/** All of it takes milliseconds. */
const ANSWER_TIMEOUT_MS = 5_000;

/** One consumer of a stream on a channel of its own, from an offset on until it is closed or ends. */
export class StreamReader {
  /** Resolves with the reason once nothing comes any more. Never rejects. */
  readonly ended: Promise<string>;
  private isClosed = false;
  private resolveEnded: (reason: string) => void = () => undefined;

  private constructor(
    private readonly channel: ConsumeChannel,
    private readonly options: StreamReaderOptions,
  ) {
    const failed = new Promise<string>((resolve) => (this.resolveEnded = resolve));
    this.ended = Promise.race([failed, channel.closed]);
    options.signal.addEventListener('abort', this.close, { once: true });
  }

  /** Rejects when the broker does not let it read, or does not answer in time. */
  static async open(connection: BrokerConnection, options: StreamReaderOptions): Promise<StreamReader> {
    const opening = connection.openConsumeChannel();
    const channel = await withinDeadline(opening, ANSWER_TIMEOUT_MS, undefined);
    if (!channel) {
      void opening.then((late) => late.close()).catch(() => undefined);
      throw new Error(`the broker opened no channel within ${ANSWER_TIMEOUT_MS} ms`);
    }
    const reader = new StreamReader(channel, options);
    try {
      options.signal.throwIfAborted();
      await reader.consume();
      return reader;
    } catch (error) {
      reader.close();
      throw error;
    }
  }

  /** Resolves when the broker has sent what it had in one piece: the whole last chunk, for a reader of that. */
  async fence(): Promise<void> {
    await answered(this.channel.cancel(FENCE_TAG), 'a fence');
  }

  readonly close = (): void => {
    if (this.isClosed) return;
    this.isClosed = true;
    this.options.signal.removeEventListener('abort', this.close);
    this.resolveEnded('the reader was closed');
    void this.channel.close().catch(() => undefined);
  };

  private async consume(): Promise<void> {
    const { stream, from } = this.options;
    const consuming = this.channel.consume({
      queue: stream,
      streamOffset: from,
      prefetch: PREFETCH,
      consumerTag: CONSUMER_TAG,
      onMessage: (message) => this.received(message),
      onCancelled: () => this.resolveEnded('the broker cancelled the consumer'),
    });
    await answered(consuming, 'a consumer');
  }

  private received({ deliveryTag, headers, body }: IncomingMessage): void {
    this.channel.ack(deliveryTag);
    const offset = headers[STREAM_OFFSET];
    if (!this.isClosed && typeof offset === 'number') this.options.onEntry(offset, body);
  }
}

async function answered(answer: Promise<void>, what: string): Promise<void> {
  const isAnswered = answer.then(() => true);
  if (await withinDeadline(isAnswered, ANSWER_TIMEOUT_MS, false)) return;
  throw new Error(`the broker did not answer to ${what} within ${ANSWER_TIMEOUT_MS} ms`);
}
