import type { IncomingHttpHeaders } from 'node:http';
import { messageIdOf } from '@spillway/work-queue';

const ROUTE = 'POST /webhooks/github';
/** GitHub is one client: its delivery ids are unique among themselves. */
const CLIENT = 'github';

/** GitHub's id of the delivery, which is its idempotency key: a redelivery has the same one. */
export function deliveryIdOf(headers: IncomingHttpHeaders): string | undefined {
  const given = headers['x-github-delivery'];
  return Array.isArray(given) ? given[0] : given;
}

/** The message id of a delivery. */
export function messageIdOfDelivery(deliveryId: string): string {
  return messageIdOf({ route: ROUTE, client: CLIENT, key: deliveryId });
}
