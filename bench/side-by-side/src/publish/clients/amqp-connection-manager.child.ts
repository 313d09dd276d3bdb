import { loadPeer } from '../../peers/load-peer.js';
import { servePublisher } from '../serve-publisher.js';

interface ChannelWrapper {
  waitForConnect(): Promise<void>;
  sendToQueue(queue: string, content: unknown, options: object): Promise<boolean>;
}
interface ConnectionManager {
  connect(urls: readonly string[]): {
    createChannel(options: { json: boolean }): ChannelWrapper;
    close(): Promise<void>;
  };
}

servePublisher(async ({ url, queue }) => {
  const connection = loadPeer<ConnectionManager>('amqp-connection-manager').connect([url]);
  const channel = connection.createChannel({ json: true });
  await channel.waitForConnect();
  return {
    publish: (payload) => channel.sendToQueue(queue, payload, { persistent: true }),
    close: () => connection.close(),
  };
});
