import { HEADERS } from './headers.js';

/**
 * What the broker or its adapter wrote for one delivery. It would mislead whoever reads the next one; and with CC or
 * BCC the broker routes a message to those queues as well, which it did when the original was published.
 */
const OF_ONE_DELIVERY = new Set<string>([
  'CC',
  'BCC',
  'x-death',
  'x-delivery-count',
  'x-acquired-count',
  'x-publish-id',
  HEADERS.starts,
]);
/** RabbitMQ adds what it likes after these. */
const PREFIXES = ['x-first-death-', 'x-last-death-'];

/** Whether a header belongs to the delivery it came with, and to no other. */
export function isOfOneDelivery(name: string): boolean {
  return OF_ONE_DELIVERY.has(name) || PREFIXES.some((prefix) => name.startsWith(prefix));
}
