import { loadPeer } from '../../peers/load-peer.js';
import { servePublisher } from '../serve-publisher.js';

interface ClientRmq {
  connect(): Promise<unknown>;
  emit(pattern: string, data: unknown): object;
  close(): Promise<void>;
}
interface Microservices {
  ClientRMQ: new (options: {
    urls: readonly string[];
    queue: string;
    noAssert: boolean;
    persistent: boolean;
  }) => ClientRmq;
}
interface Rxjs {
  readonly lastValueFrom: (source: object, options: { defaultValue: undefined }) => Promise<unknown>;
}
interface NestCommon {
  Logger: { overrideLogger(logger: false): void };
}

servePublisher(async ({ url, queue }) => {
  loadPeer<NestCommon>('@nestjs/common').Logger.overrideLogger(false);
  const { ClientRMQ } = loadPeer<Microservices>('@nestjs/microservices');
  const { lastValueFrom } = loadPeer<Rxjs>('rxjs');
  const client = new ClientRMQ({ urls: [url], queue, noAssert: true, persistent: true });
  await client.connect();
  return {
    publish: (payload) => lastValueFrom(client.emit('work', payload), { defaultValue: undefined }),
    close: () => client.close(),
  };
});
