import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { loadPeer } from '../peers/load-peer.js';

interface ConfirmChannel {
  sendToQueue(queue: string, body: Buffer, options: object): boolean;
  waitForConfirms(): Promise<void>;
  checkQueue(queue: string): Promise<{ messageCount: number; consumerCount: number }>;
}
interface Connection {
  createConfirmChannel(): Promise<ConfirmChannel>;
  close(): Promise<void>;
}
interface Amqplib {
  connect(url: string): Promise<Connection>;
}

const UNCONFIRMED_AT_A_TIME = 1_000;
const LOOK_EVERY_MS = 20;
const UNTIL_UNUSED_MS = 10_000;

/** Fills queues and looks at what is left in them, over a connection that nobody measures. */
export class QueueLoader {
  private constructor(
    private readonly connection: Connection,
    private readonly channel: ConfirmChannel,
  ) {}

  static async connect(url: string): Promise<QueueLoader> {
    const connection = await loadPeer<Amqplib>('amqplib').connect(url);
    return new QueueLoader(connection, await connection.createConfirmChannel());
  }

  /** Persistent JSON, each with a message id of its own. Resolves when the broker has confirmed them all. */
  async load(queue: string, json: string, messages: number): Promise<void> {
    const body = Buffer.from(json);
    for (let sent = 0; sent < messages; sent += 1) {
      if (sent % UNCONFIRMED_AT_A_TIME === 0) await this.channel.waitForConfirms();
      const messageId = randomUUID();
      this.channel.sendToQueue(queue, body, { persistent: true, contentType: 'application/json', messageId });
    }
    await this.channel.waitForConfirms();
  }

  /**
   * Messages in the queue once nobody consumes it any more: whatever was not acked has come back by then, since a quorum
   * queue drops a consumer and takes its messages back in one step, and a classic one before it lets the channel close.
   * @throws when somebody still consumes it after 10 s
   */
  async left(queue: string): Promise<number> {
    const giveUpAt = performance.now() + UNTIL_UNUSED_MS;
    for (;;) {
      const { messageCount, consumerCount } = await this.channel.checkQueue(queue);
      if (consumerCount === 0) return messageCount;
      if (performance.now() > giveUpAt) throw new Error(`${queue} still has ${consumerCount} consumers`);
      await delay(LOOK_EVERY_MS);
    }
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}
