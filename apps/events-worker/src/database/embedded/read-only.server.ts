import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import type { EmbeddedEngine } from './embedded-engine.js';
import { FrontendReader, type FrontendUnit } from './frontend-reader.js';
import { greetGuest, runGuestStatement } from './guest-statement.js';
import { errorReply, NO_ENCRYPTION } from './wire-messages.js';

/** Nobody needs more to look; further ones are closed at once. */
const MAX_CONNECTIONS = 16;

/**
 * A port of this machine at which psql and others read the embedded database, without a password.
 *
 * Not `@electric-sql/pglite-socket`: with it, a client that opens a transaction and goes away takes the rows along
 * that the worker wrote meanwhile, and psql needs `sslmode=disable`.
 */
export class ReadOnlyServer {
  private readonly logger = new Logger('ReadOnlyServer');
  private readonly sockets = new Set<Socket>();

  static async listen(engine: EmbeddedEngine): Promise<ReadOnlyServer> {
    const server = createServer();
    server.maxConnections = MAX_CONNECTIONS;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ReadOnlyServer(server, engine);
  }

  private constructor(
    private readonly server: Server,
    private readonly engine: EmbeddedEngine,
  ) {
    server.on('connection', (socket) => void this.serve(socket));
    server.on('error', (error) => this.logger.warn(`cannot take a connection: ${error.message}`));
  }

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === 'string')
      throw new Error('the server of the embedded database is closed');
    return address.port;
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** Never rejects: a client that goes away or sends nonsense loses its connection, and that is all. */
  private async serve(socket: Socket): Promise<void> {
    this.sockets.add(socket);
    const reader = new FrontendReader();
    try {
      for await (const chunk of socket) {
        for (const unit of reader.read(chunk)) await this.answer(socket, unit);
      }
    } catch {
      // The client is gone, or the engine is; the worker itself reports the latter.
    } finally {
      socket.destroy();
      this.sockets.delete(socket);
    }
  }

  private async answer(socket: Socket, unit: FrontendUnit): Promise<void> {
    switch (unit.kind) {
      case 'encryption-request':
        return send(socket, NO_ENCRYPTION);
      case 'startup':
        return send(socket, await this.engine.run(greetGuest));
      case 'statement':
        return send(socket, await this.engine.run((pglite) => runGuestStatement(pglite, unit.bytes)));
      case 'goodbye':
        return sayGoodbye(socket, unit.reason);
      default:
        return unit satisfies never;
    }
  }
}

/** Resolves when the bytes are on their way, so that a client that does not read gets no further answers. */
function send(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

async function sayGoodbye(socket: Socket, reason: string | undefined): Promise<void> {
  if (reason !== undefined) {
    const hint = 'Start the worker with DATABASE_URL to have a PostgreSQL server.';
    await send(socket, errorReply({ severity: 'FATAL', code: '0A000', text: reason, hint }));
  }
  socket.destroy();
}
