import { loadPeer } from '../../peers/load-peer.js';
import { SILENT_LOGGER } from '../../peers/silent-logger.js';
import { servePublisher } from '../serve-publisher.js';

interface AmqpConnection {
  init(): Promise<unknown>;
  publish(exchange: string, routingKey: string, message: unknown, options: object): Promise<boolean>;
  close(): Promise<void>;
}
interface Golevelup {
  AmqpConnection: new (config: { uri: string; logger: object }) => AmqpConnection;
}

servePublisher(async ({ url, queue }) => {
  const { AmqpConnection } = loadPeer<Golevelup>('@golevelup/nestjs-rabbitmq');
  const connection = new AmqpConnection({ uri: url, logger: SILENT_LOGGER });
  await connection.init();
  return {
    publish: (payload) => connection.publish('', queue, payload, { persistent: true }),
    close: () => connection.close(),
  };
});
