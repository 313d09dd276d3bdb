import type { IncomingMessage, OutgoingMessage } from '../broker/broker.port.js';
import { describeThrown } from '../errors/describe-thrown.js';
import { isOfOneDelivery } from '../message/delivery-headers.js';
import { countIn, HEADERS } from '../message/headers.js';

/** What is stored anew somewhere else before the original is acked; where is not its business. */
export type WorkCopy = Omit<OutgoingMessage, 'queue'>;

const MAX_DEAD_ERROR_CHARACTERS = 2_000;
/** Headers are copied with every attempt. */
const MAX_ERROR_CHARACTERS = 500;

/** For the next attempt. The caller that waits for its result, if any, still does. */
export function retryCopy(
  message: IncomingMessage,
  messageId: string,
  failed: { readonly attempts: number; readonly error: unknown },
): WorkCopy {
  return workCopy(message, messageId, failureHeaders(message, failed));
}

/** As it came: what became of it is nobody's fault. */
export function deferredCopy(message: IncomingMessage, messageId: string): WorkCopy {
  return workCopy(message, messageId, {});
}

/** With one more start on record. */
export function setAsideCopy(message: IncomingMessage, messageId: string, starts: number): WorkCopy {
  return workCopy(message, messageId, { [HEADERS.starts]: starts });
}

/** Why it ended stands in its headers. Nobody is answered from a dead-letter queue. */
export function deadCopy(
  message: IncomingMessage,
  messageId: string,
  outcome: { readonly reason: string; readonly attempts: number; readonly error: unknown },
  queue: string,
): WorkCopy {
  // What died without an attempt (it was invalid, too late) has the headers of those before it.
  const wasTried = outcome.attempts > countIn(message.headers, HEADERS.attempts);
  const {
    replyTo: _caller,
    correlationId: _call,
    ...copy
  } = workCopy(message, messageId, {
    ...(wasTried ? failureHeaders(message, outcome) : {}),
    [HEADERS.deadReason]: outcome.reason,
    [HEADERS.deadQueue]: queue,
    [HEADERS.deadError]: describeThrown(outcome.error).slice(0, MAX_DEAD_ERROR_CHARACTERS),
    [HEADERS.deadAttempts]: outcome.attempts,
    [HEADERS.deadAt]: Date.now(),
  });
  return copy;
}

/**
 * What of a copy can surely be sent. Headers of other languages' clients can be such that they arrive and cannot be sent
 * on; so can an id or a type that is not UTF-8, since each byte of it comes as three. The body matters more. Of the
 * headers ours are kept: they are numbers and short text, and what only bears their names is not ours.
 */
export function reducedCopy(copy: WorkCopy): WorkCopy {
  const ours = new Set<string>(Object.values(HEADERS));
  const headers = Object.fromEntries(
    Object.entries(copy.headers).filter(([name, value]) => ours.has(name) && isLikeOurs(value)),
  );
  const { body, messageId, contentType, contentEncoding, replyTo, correlationId } = copy;
  const isAnswered = isShort(replyTo) && isShort(correlationId);
  return {
    body,
    messageId: shortened(messageId),
    contentType: isShort(contentType) ? contentType : undefined,
    ...(isShort(contentEncoding) ? { contentEncoding } : {}),
    headers,
    ...(isAnswered ? { replyTo, correlationId } : {}),
  };
}

/** AMQP's short strings. */
const MAX_SHORT_BYTES = 255;

function isShort(text: string | undefined): text is string {
  return text !== undefined && Buffer.byteLength(text) <= MAX_SHORT_BYTES;
}

function shortened(text: string): string {
  let cut = text;
  while (Buffer.byteLength(cut) > MAX_SHORT_BYTES) cut = cut.slice(0, -1);
  return cut;
}

function isLikeOurs(value: unknown): boolean {
  return typeof value === 'string' ? value.length <= MAX_DEAD_ERROR_CHARACTERS : Number.isFinite(value);
}

function failureHeaders(
  { headers }: IncomingMessage,
  { attempts, error }: { readonly attempts: number; readonly error: unknown },
): WorkCopy['headers'] {
  const lastError = describeThrown(error).slice(0, MAX_ERROR_CHARACTERS);
  return {
    [HEADERS.attempts]: attempts,
    [HEADERS.firstError]: headers[HEADERS.firstError] ?? lastError,
    [HEADERS.lastError]: lastError,
  };
}

function workCopy(message: IncomingMessage, messageId: string, added: WorkCopy['headers']): WorkCopy {
  const kept = Object.entries(message.headers).filter(([name]) => !isOfOneDelivery(name));
  const { body, contentType, contentEncoding, replyTo, correlationId } = message;
  return {
    body,
    messageId,
    contentType,
    ...(contentEncoding === undefined ? {} : { contentEncoding }),
    headers: { ...Object.fromEntries(kept), ...added },
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(correlationId === undefined ? {} : { correlationId }),
  };
}
