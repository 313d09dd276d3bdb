import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { EventDatabase } from '../event-database.js';

/** Ids that one question may name: about 40 KB. */
const MOST_IDS = 1_000;

const WRITTEN = `
select delivery_id as "deliveryId", (extract(epoch from recorded_at) * 1000)::float8 as "recordedAtEpochMs"
from webhook_events where delivery_id = any($1::text[])`;

const TOTAL = 'select count(*)::int as total from webhook_events';

const LATEST = `
select delivery_id as "deliveryId", event, action, recorded_at as "recordedAt"
from webhook_events order by recorded_at desc limit 20`;

type Query = EventDatabase['query'];

/**
 * A loopback port at which people and `npm run replay` read the rows of the embedded database.
 * `GET /` answers the number of rows and the latest; `POST /` with a JSON array of ids those that are rows.
 *
 * Not the PostgreSQL protocol: PGlite has one session, and a guest in it could hold up the worker's statements or take
 * rows whose messages were acknowledged into a transaction and roll them back.
 */
export class RowsServer {
  private constructor(private readonly server: Server) {}

  static async listen(query: Query): Promise<RowsServer> {
    const server = createServer((request, response) => void answer(query, request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RowsServer(server);
  }

  get url(): string {
    // A TCP server that listens has an address of this kind.
    const { port } = this.server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}

/** Never rejects. */
async function answer(query: Query, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const ids = request.method === 'POST' ? await idsIn(request) : [];
    if (!ids) response.writeHead(400).end(`expected a JSON array of at most ${MOST_IDS} delivery ids\n`);
    else if (request.method === 'POST') reply(response, await query(WRITTEN, [arrayLiteral(ids)]));
    else reply(response, await overview(query));
  } catch (error) {
    response.writeHead(503).end(`${error instanceof Error ? error.message : String(error)}\n`);
  }
}

function reply(response: ServerResponse, body: unknown): void {
  response.setHeader('content-type', 'application/json').end(`${JSON.stringify(body)}\n`);
}

async function idsIn(request: IncomingMessage): Promise<string[] | undefined> {
  const ids: unknown = await json(request).catch(() => undefined);
  if (!Array.isArray(ids) || ids.length > MOST_IDS) return undefined;
  return ids.every((id) => typeof id === 'string') ? ids : undefined;
}

/** An array goes as text: a parameter of ours is a string, a number or null. */
function arrayLiteral(ids: readonly string[]): string {
  return `{${ids.map((id) => JSON.stringify(id)).join(',')}}`;
}

async function overview(query: Query): Promise<unknown> {
  const [count] = await query(TOTAL, []);
  return { ...count, latest: await query(LATEST, []) };
}
