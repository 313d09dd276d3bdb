import { hash } from 'node:crypto';

export interface MessageIdentity {
  /** What the request asks for, such as `POST /invoices`: the same key on another route is other work. */
  readonly route: string;
  /** Whose key it is. Without it one client could take, or block, what another sends under the same key. */
  readonly client: string;
  /** The client's own name for the work, such as its `Idempotency-Key`. */
  readonly key: string;
}

/** A message id of 43 characters, the same for the same work, safe in headers, addresses and logs whatever the key is. */
export function messageIdOf({ route, client, key }: MessageIdentity): string {
  // A JSON array keeps the parts apart: no part can pretend to hold the next one.
  return hash('sha256', JSON.stringify([route, client, key]), 'base64url');
}
