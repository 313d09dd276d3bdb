import { loadPeer } from '../../peers/load-peer.js';
import { servePublisher } from '../serve-publisher.js';

interface ConfirmChannel {
  sendToQueue(queue: string, body: Buffer, options: object, callback: (error: unknown) => void): boolean;
}
interface Amqplib {
  connect(
    url: string,
    socketOptions: { noDelay?: boolean },
  ): Promise<{ createConfirmChannel(): Promise<ConfirmChannel>; close(): Promise<void> }>;
}

const OPTIONS = { persistent: true, contentType: 'application/json' };

/** What one writes by hand. Every message is a write to the socket of its own; with noDelay, a packet of its own, too. */
servePublisher(async ({ url, queue, usesDefaults }) => {
  const connection = await loadPeer<Amqplib>('amqplib').connect(url, usesDefaults ? {} : { noDelay: true });
  const channel = await connection.createConfirmChannel();
  return {
    publish: (payload) =>
      new Promise<void>((resolve, reject) => {
        const body = Buffer.from(JSON.stringify(payload));
        channel.sendToQueue(queue, body, OPTIONS, (error) => (error ? reject(error) : resolve()));
      }),
    close: () => connection.close(),
  };
});
