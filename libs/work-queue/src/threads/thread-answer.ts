import { DropWork } from '../errors/drop-work.error.js';
import { PermanentFailure } from '../errors/permanent-failure.error.js';
import { isRetryDelay, RetryLater } from '../errors/retry-later.error.js';

/** What thread-entry.mjs is asked. */
export interface ThreadTask {
  /** URL of the module whose default export is run. */
  readonly file: string;
  readonly input?: unknown;
  /** Only look whether there is such a function. */
  readonly isCheck?: boolean;
}

/** What thread-entry.mjs answers: what the function returned, or what it threw. */
export type ThreadAnswer = { readonly value: unknown } | { readonly thrown: Thrown };

/** An error taken apart, or anything else that was thrown, as it was. */
export type Thrown =
  { readonly error: ErrorParts; readonly cause?: Thrown | undefined } | { readonly value: unknown };

interface ErrorParts {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Its own enumerable fields, such as `code`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Errors that mean something to whoever settles the work, by the `code` every one of them has. */
const MEANINGFUL: ReadonlyMap<unknown, object> = new Map<unknown, object>([
  ['WQ_DROP_WORK', DropWork.prototype],
  ['WQ_PERMANENT_FAILURE', PermanentFailure.prototype],
  ['WQ_RETRY_LATER', RetryLater.prototype],
]);

/** What the function in the thread returned; throws what it threw. */
export function valueOf(answer: ThreadAnswer): unknown {
  if ('value' in answer) return answer.value;
  throw rebuilt(answer.thrown);
}

/**
 * The error again, with its name, message, stack, causes and fields. It is of its class when that decides what becomes
 * of the work (PermanentFailure, RetryLater, DropWork), and else a plain Error.
 */
function rebuilt(thrown: Thrown): unknown {
  if ('value' in thrown) return thrown.value;
  const { name, message, stack, fields } = thrown.error;
  const error = new Error(message, thrown.cause && { cause: rebuilt(thrown.cause) });
  const prototype = isSound(fields) ? MEANINGFUL.get(fields.code) : undefined;
  if (prototype) Object.setPrototypeOf(error, prototype);
  define(error, 'name', name);
  define(error, 'stack', stack);
  return Object.assign(error, fields);
}

/** What the constructor would have refused is no RetryLater, only an error. */
function isSound({ code, delayMs }: Readonly<Record<string, unknown>>): boolean {
  return code !== 'WQ_RETRY_LATER' || isRetryDelay(delayMs);
}

/** As engines have these: no part of what is logged as the error's fields. */
function define(error: Error, key: 'name' | 'stack', value: string | undefined): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: false });
}
