import { loadPeer } from '../../peers/load-peer.js';
import type { ConsumeClient, ConsumeTarget } from '../consume-client.js';

export interface AmqplibMessage {
  readonly content: Buffer;
}
export interface AmqplibChannel {
  prefetch(count: number): Promise<unknown>;
  consume(queue: string, onMessage: (message: AmqplibMessage | null) => void): Promise<unknown>;
  ack(message: AmqplibMessage, allUpTo?: boolean): void;
  close(): Promise<void>;
}
interface Amqplib {
  connect(
    url: string,
    socketOptions: { noDelay: boolean },
  ): Promise<{ createChannel(): Promise<AmqplibChannel>; close(): Promise<void> }>;
}

/** What one does with deliveries; made once there is a channel to ack them on. */
interface Acknowledging {
  received(message: AmqplibMessage): void;
  /** Sends the acks that are still to be sent. */
  finish(): void;
}

/** What one writes by hand. A queue that is deleted under it is not expected here. */
export async function consumeWithAmqplib(
  { url, queue, prefetch }: ConsumeTarget,
  acknowledgingOn: (channel: AmqplibChannel) => Acknowledging,
): Promise<ConsumeClient> {
  const connection = await loadPeer<Amqplib>('amqplib').connect(url, { noDelay: true });
  const channel = await connection.createChannel();
  const acknowledging = acknowledgingOn(channel);
  await channel.prefetch(prefetch);
  await channel.consume(queue, (message) => message && acknowledging.received(message));
  return {
    close: async () => {
      acknowledging.finish();
      // The connection's own close could overtake what the channel has still to send.
      await channel.close();
      await connection.close();
    },
  };
}
