import { loadPeer } from '../../peers/load-peer.js';
import { serveConsumer } from '../serve-consumer.js';

interface ConsumerOptions {
  readonly queue: string;
  readonly queueOptions: { readonly passive: boolean };
  readonly qos: { readonly prefetchCount: number };
  readonly concurrency: number;
}
interface Connection {
  createConsumer(options: ConsumerOptions, handler: () => void): { close(): Promise<void> };
  close(): Promise<void>;
}
interface RabbitmqClient {
  Connection: new (url: string) => Connection;
}

/** It decodes bodies whose content type is JSON by itself, and acks when the handler has returned. */
serveConsumer(async ({ url, queue, prefetch }, handled) => {
  const { Connection } = loadPeer<RabbitmqClient>('rabbitmq-client');
  const connection = new Connection(url);
  // n.b. without passive it would declare the queue, with other settings than it has.
  const queueOptions = { passive: true };
  const options = { queue, queueOptions, qos: { prefetchCount: prefetch }, concurrency: prefetch };
  const consumer = connection.createConsumer(options, handled);
  return {
    close: async () => {
      await consumer.close();
      await connection.close();
    },
  };
});
