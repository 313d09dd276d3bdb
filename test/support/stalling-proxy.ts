import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { PublishFrames } from './publish-frames.js';

/**
 * A broker's port on loopback as a network would spoil it: it can stop reading from its clients, go on, or be gone
 * altogether. It counts the publishes that reach the broker. Close it after its clients.
 */
export class StallingProxy {
  private readonly clients = new Set<Socket>();
  private readonly frames: PublishFrames[] = [];
  private isStalled = false;

  private constructor(
    private readonly target: URL,
    private readonly server: Server,
    private readonly port: number,
  ) {
    server.on('connection', (client) => this.join(client));
  }

  /** @param brokerUrl an AMQP URL with a port */
  static async open(brokerUrl: string): Promise<StallingProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new StallingProxy(new URL(brokerUrl), server, (server.address() as AddressInfo).port);
  }

  /** The broker's URL, through here. */
  get url(): string {
    const url = new URL(this.target);
    url.port = String(this.port);
    return url.href;
  }

  /** How many publishes went on to the broker. */
  get publishes(): number {
    return this.frames.reduce((sum, { count }) => sum + count, 0);
  }

  /** Reads nothing more from clients: what they write stays in the sockets' buffers. Answers still pass. */
  stall(): void {
    this.isStalled = true;
    for (const client of this.clients) client.pause();
  }

  resume(): void {
    this.isStalled = false;
    for (const client of this.clients) client.resume();
  }

  /** Cuts every connection, and refuses new ones from now on. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    for (const client of this.clients) client.destroy();
    await closed;
  }

  private join(client: Socket): void {
    const broker = connect(Number(this.target.port), this.target.hostname);
    const frames = new PublishFrames();
    this.frames.push(frames);
    this.clients.add(client);
    client.on('data', (chunk) => {
      frames.read(chunk);
      if (!broker.write(chunk)) client.pause();
    });
    broker.on('drain', () => {
      if (!this.isStalled) client.resume();
    });
    if (this.isStalled) client.pause();
    broker.pipe(client);
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      socket.on('error', () => undefined);
      socket.on('close', () => other.destroy());
    }
    client.on('close', () => this.clients.delete(client));
  }
}
