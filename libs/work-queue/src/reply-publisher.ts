import type { BrokerConnection, OutgoingMessage } from './broker/broker.port.js';
import { Publisher, type PublisherOptions } from './publish/publisher.js';
import { remembered } from './timing/remembered.js';

/** Replies that may be on their way at a time; what is more is lost, and its caller goes on without a result. */
const WINDOW = { messages: 100, bytes: 16_000_000 };

/**
 * Sends what handlers returned to the callers that wait for it. On a connection of its own, made for the first reply:
 * an address that makes no sense to the broker (forged, from another cluster, of a node that is gone) closes the whole
 * connection, which must not take publishes and dead letters with it.
 */
export class ReplyPublisher {
  private readonly publisher: Publisher;
  private readonly closing = new AbortController();
  /** Once it was open the connection comes back by itself. */
  private readonly connect = remembered(() => this.connection.open());
  private readonly open = remembered(() => this.openPublisher());
  private isOpen = false;
  private waiting = 0;

  constructor(
    private readonly connection: BrokerConnection,
    options: PublisherOptions,
  ) {
    this.publisher = new Publisher(connection, WINDOW, options);
  }

  /** Not mandatory, since nobody may be waiting any more. Rejects when the broker did not take it. */
  async publish(message: OutgoingMessage): Promise<void> {
    if (!this.isOpen) await this.opened();
    const end = await this.publisher.publish(message);
    if (end.at === 'broker' && end.answer === 'acked') return;
    throw new Error(end.at === 'broker' ? `the broker's answer: ${end.answer}` : `not sent (${end.at})`);
  }

  async close(deadlineMs: number): Promise<void> {
    this.closing.abort();
    await this.publisher.close(deadlineMs);
    await this.connection.close();
  }

  /** Nobody waits for a reply to be sent, so those that wait for the connection are counted. */
  private async opened(): Promise<void> {
    if (this.waiting >= WINDOW.messages) throw new Error('the connection for replies is not open yet');
    this.waiting++;
    try {
      await this.open();
    } finally {
      this.waiting--;
    }
  }

  private async openPublisher(): Promise<void> {
    await this.connect();
    await this.connection.whenOpen(this.closing.signal);
    await this.publisher.open();
    this.isOpen = true;
  }
}
