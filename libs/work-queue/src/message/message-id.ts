import { hash, randomFillSync } from 'node:crypto';

export interface MessageIdentity {
  /** What the request asks for, such as `POST /invoices`: the same key on another route is other work. */
  readonly route: string;
  /** Whose key it is. Without it one client could take, or block, what another sends under the same key. */
  readonly client: string;
  /** The client's own name for the work, such as its `Idempotency-Key`. */
  readonly key: string;
}

/**
 * What fits with the rest of a message's properties into 64 bytes. Past that RabbitMQ's classic queues confirm a fifth
 * fewer messages a second (measured on 3.10.8: 63 and 64 bytes 1.04 and 1.08 x, 65 bytes 0.87 x plain amqplib).
 */
const ID_CHARACTERS = 22;
const ID_BYTES = 16;
const POOLED_IDS = 256;

/** A message id of 22 characters, the same for the same work, safe in headers, addresses and logs whatever the key is. */
export function messageIdOf({ route, client, key }: MessageIdentity): string {
  // A JSON array keeps the parts apart: no part can pretend to hold the next one.
  return hash('sha256', JSON.stringify([route, client, key]), 'base64url').slice(0, ID_CHARACTERS);
}

/** Random ids of 128 bits in 22 characters. */
export class MessageIds {
  private readonly pool = Buffer.allocUnsafe(ID_BYTES * POOLED_IDS);
  private used = this.pool.length;

  next(): string {
    if (this.used === this.pool.length) {
      // One call of the system's generator for many ids: it is dear.
      randomFillSync(this.pool);
      this.used = 0;
    }
    const start = this.used;
    this.used += ID_BYTES;
    return this.pool.toString('base64url', start, this.used);
  }
}
