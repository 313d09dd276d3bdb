import type { IncomingHttpHeaders } from 'node:http';
import { messageIdOf, readIdempotencyKey } from '@spillway/work-queue';

const ROUTE = 'POST /images';
/** This gateway does not know who asks, so all share one room for their keys: a key must be as unique as a UUID. */
const CLIENT = 'anyone';

/** The message id of a photograph that was sent with an Idempotency-Key; undefined without one. */
export function messageIdOfImage(headers: IncomingHttpHeaders): string | undefined {
  const key = readIdempotencyKey(headers);
  return key === undefined ? undefined : messageIdOf({ route: ROUTE, client: CLIENT, key });
}
