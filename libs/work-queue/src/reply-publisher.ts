import type { BrokerConnection, OutgoingMessage } from './broker/broker.port.js';
import { Publisher, type PublisherOptions } from './publish/publisher.js';

/** Replies that may be on their way at a time; what is more is lost, and its caller goes on without a result. */
const WINDOW = { messages: 100, bytes: 16_000_000 };

/**
 * Sends what handlers returned to the callers that wait for it. On a connection of its own, made for the first reply:
 * an address that makes no sense to the broker (forged, from another cluster, of a node that is gone) closes the whole
 * connection, which must not take publishes and dead letters with it.
 */
export class ReplyPublisher {
  private opening: Promise<Publisher> | undefined;
  private waiting = 0;

  constructor(
    private readonly connection: BrokerConnection,
    private readonly options: PublisherOptions,
  ) {}

  /** Not mandatory, since nobody may be waiting any more. Rejects when the broker did not take it. */
  async publish(message: OutgoingMessage): Promise<void> {
    const publisher = await this.publisher();
    const end = await publisher.publish(message);
    if (end.at === 'broker' && end.answer === 'acked') return;
    throw new Error(end.at === 'broker' ? `the broker's answer: ${end.answer}` : `not sent: no ${end.at}`);
  }

  async close(deadlineMs: number): Promise<void> {
    const publisher = await this.opening?.catch(() => undefined);
    await publisher?.close(deadlineMs);
    await this.connection.close();
  }

  /** Nobody waits for a reply to be sent, so those that wait for the connection are counted. */
  private async publisher(): Promise<Publisher> {
    if (this.waiting >= WINDOW.messages) throw new Error('the connection for replies is not open yet');
    this.waiting++;
    try {
      return await (this.opening ??= this.open());
    } catch (error) {
      this.opening = undefined;
      throw error;
    } finally {
      this.waiting--;
    }
  }

  private async open(): Promise<Publisher> {
    const publisher = new Publisher(this.connection, WINDOW, this.options);
    await this.connection.open();
    await publisher.open();
    return publisher;
  }
}
