import type { IncomingMessage, OutgoingMessage } from '../broker/broker.port.js';
import { isOfOneDelivery } from '../message/delivery-headers.js';
import { HEADERS } from '../message/headers.js';

export interface RedriveTarget {
  readonly queue: string;
  readonly messageId: string;
  /** When it is sent, milliseconds since the epoch. */
  readonly sentAt: number;
}

/** What says how the work went the last time. */
const PAST = new Set<string>([
  // It has passed, or will have: the work would expire again at once.
  HEADERS.deadline,
  HEADERS.attempts,
  HEADERS.firstError,
  HEADERS.lastError,
]);

/**
 * The work of a dead letter as new work of its queue: the same id, body and own headers (a pattern too), its past left
 * behind. No reply: whoever waited has been told that it failed, or has gone. No time to live.
 */
export function redrivenMessage(letter: IncomingMessage, target: RedriveTarget): OutgoingMessage {
  const { queue, messageId, sentAt } = target;
  const own = Object.entries(letter.headers).filter(([name]) => !isPast(name));
  const { body, contentType, contentEncoding } = letter;
  return {
    queue,
    messageId,
    body,
    contentType,
    ...(contentEncoding === undefined ? {} : { contentEncoding }),
    headers: { ...Object.fromEntries(own), [HEADERS.publishedAt]: sentAt },
  };
}

function isPast(name: string): boolean {
  return PAST.has(name) || name.startsWith(HEADERS.deadPrefix) || isOfOneDelivery(name);
}
