import type { IncomingMessage } from '../broker/broker.port.js';
import { HEADERS } from '../message/headers.js';

/** A message in `<queue>.dead`, as it is shown to people. */
export interface DeadLetter {
  /** The message id; undefined when its publisher gave none, which the broker does not mend. */
  readonly id: string | undefined;
  /** The queue it came from. */
  readonly queue: string;
  /**
   * Ours: `failed`, `permanent`, `undecodable`, `invalid`, `expired`, `crashed`. The broker's, for what it
   * dead-lettered itself: `maxlen`, `expired`, `delivery_limit`, `rejected`. `unknown` when nothing tells.
   */
  readonly reason: string;
  /** What it is counted and selected by, see `errorClassOf`. */
  readonly errorClass: string;
  /** Class and message of the last error; undefined when the broker dead-lettered it. */
  readonly error: string | undefined;
  /** Attempts made, if that is known. */
  readonly attempts: number | undefined;
  readonly failedAt: Date | undefined;
  readonly body: Buffer;
  readonly contentType: string | undefined;
  /** As they are on the dead letter. */
  readonly headers: Readonly<Record<string, unknown>>;
}

type Headers = DeadLetter['headers'];

/** The broker's own record of a death. */
interface BrokerDeath {
  readonly reason: string;
  readonly queue: string | undefined;
  readonly at: Date | undefined;
}

const BROKER_DEATHS = 'x-death';
const UNKNOWN = 'unknown';
const MAX_CLASS_CHARACTERS = 100;
const CLASS_NAME = /^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*$/;

/** @param queue the work queue; what a letter says of itself counts more */
export function describeDeadLetter(message: IncomingMessage, queue: string): DeadLetter {
  const { headers, body, contentType, messageId } = message;
  const death = brokerDeathOf(headers);
  const at = headers[HEADERS.deadAt];
  const attempts = headers[HEADERS.deadAttempts];
  return {
    id: messageId,
    queue: textOf(headers[HEADERS.deadQueue]) ?? death?.queue ?? queue,
    reason: textOf(headers[HEADERS.deadReason]) ?? death?.reason ?? UNKNOWN,
    errorClass: errorClassOf(headers),
    error: textOf(headers[HEADERS.deadError]),
    attempts: typeof attempts === 'number' ? attempts : undefined,
    failedAt: typeof at === 'number' ? dateOf(at) : death?.at,
    body,
    contentType,
    headers,
  };
}

/**
 * The one class a letter belongs to: the class of its last error (`TypeError`), else why we gave it up (`expired`),
 * else `broker:` and why the broker did (`broker:maxlen`), else `unknown`.
 */
export function errorClassOf(headers: Headers): string {
  const reason = textOf(headers[HEADERS.deadReason]);
  const className = classNameIn(textOf(headers[HEADERS.deadError]));
  if (className !== undefined || reason !== undefined) return className ?? reason ?? UNKNOWN;
  const death = brokerDeathOf(headers);
  return death ? `broker:${death.reason}` : UNKNOWN;
}

/** A thrown text has no class; it may have a colon all the same. */
function classNameIn(error: string | undefined): string | undefined {
  const [name, ...message] = (error ?? '').split(':');
  if (name === undefined || message.length === 0 || name.length > MAX_CLASS_CHARACTERS) return undefined;
  return CLASS_NAME.test(name) ? name : undefined;
}

/** The last one: the broker puts it first. */
function brokerDeathOf(headers: Headers): BrokerDeath | undefined {
  const deaths: unknown = headers[BROKER_DEATHS];
  const last: unknown = Array.isArray(deaths) ? deaths[0] : undefined;
  if (typeof last !== 'object' || last === null) return undefined;
  const reason = textOf(Reflect.get(last, 'reason')) ?? UNKNOWN;
  return { reason, queue: textOf(Reflect.get(last, 'queue')), at: timestampOf(Reflect.get(last, 'time')) };
}

/** AMQP's timestamps are whole seconds; the client library gives them as `{ '!': 'timestamp', value }`. */
function timestampOf(field: unknown): Date | undefined {
  const seconds: unknown = typeof field === 'object' && field !== null ? Reflect.get(field, 'value') : field;
  return typeof seconds === 'number' ? dateOf(seconds * 1_000) : undefined;
}

function dateOf(milliseconds: number): Date | undefined {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function textOf(field: unknown): string | undefined {
  return typeof field === 'string' && field !== '' ? field : undefined;
}
