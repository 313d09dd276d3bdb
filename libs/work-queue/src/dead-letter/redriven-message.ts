import type { IncomingMessage, OutgoingMessage } from '../broker/broker.port.js';
import { HEADERS } from '../message/headers.js';

export interface RedriveTarget {
  readonly queue: string;
  readonly messageId: string;
  /** When it is sent, milliseconds since the epoch. */
  readonly sentAt: number;
}

/** What says how the work went the last time, or belongs to one publish or delivery of it. */
const PAST = new Set<string>([
  // It has passed, or will have: the work would expire again at once.
  HEADERS.deadline,
  HEADERS.attempts,
  HEADERS.firstError,
  HEADERS.lastError,
  HEADERS.starts,
  'x-death',
  'x-delivery-count',
  'x-acquired-count',
  'x-publish-id',
  // The broker routes a message with CC to those queues as well.
  'CC',
  'BCC',
]);
const PAST_PREFIXES = [HEADERS.deadPrefix, 'x-first-death-', 'x-last-death-'];

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
  return PAST.has(name) || PAST_PREFIXES.some((prefix) => name.startsWith(prefix));
}
