import { loadPeer } from '../../peers/load-peer.js';
import { servePublisher } from '../serve-publisher.js';

interface Publisher {
  send(envelope: { routingKey: string; durable: boolean }, body: unknown): Promise<void>;
  close(): Promise<void>;
}
interface Connection {
  onConnect(): Promise<void>;
  createPublisher(options: { confirm: boolean }): Publisher;
  close(): Promise<void>;
}
interface RabbitmqClient {
  Connection: new (url: string) => Connection;
}

servePublisher(async ({ url, queue }) => {
  const { Connection } = loadPeer<RabbitmqClient>('rabbitmq-client');
  const connection = new Connection(url);
  await connection.onConnect();
  const publisher = connection.createPublisher({ confirm: true });
  const envelope = { routingKey: queue, durable: true };
  return {
    publish: (payload) => publisher.send(envelope, payload),
    close: async () => {
      await publisher.close();
      await connection.close();
    },
  };
});
