/** Headers the framework adds to a message. Stable: operators and other languages may read them. */
export const HEADERS = {
  /** When the publisher sent it, milliseconds since the epoch. Short: message-id.ts tells why. */
  publishedAt: 'x-sent',
  /** When the work is no longer worth starting, milliseconds since the epoch; anything else counts as none. */
  deadline: 'x-deadline',
  /**
   * On a reply: the reason the work was dead-lettered for, or `unserialisable` when it was done and JSON cannot carry
   * its result; absent when all went well.
   */
  replyFailed: 'x-reply-failed',
  /** The pattern of a message that came through the NestJS transport. */
  pattern: 'x-pattern',
  /** Attempts of this work that have failed; absent before the first failure. */
  attempts: 'x-attempts',
  /** Class and message of the error that failed the first attempt, cut to 500 characters. */
  firstError: 'x-first-error',
  /** As `firstError`, of the last failed attempt. */
  lastError: 'x-last-error',
  /**
   * Starts of this work that came to no end, since its process or connection died with them; absent once one came to
   * an end. Such work is in `<queue>.alone` and runs alone.
   */
  starts: 'x-starts',
  /** What every header on a dead letter starts with. */
  deadPrefix: 'x-dead-',
  /** On a dead letter: why (`failed`, `permanent`, `undecodable`, `invalid`, `expired`, `crashed`). */
  deadReason: 'x-dead-reason',
  /** On a dead letter: the queue it came from. */
  deadQueue: 'x-dead-queue',
  /** On a dead letter: class and message of the last error, cut to 2,000 characters. */
  deadError: 'x-dead-error',
  /** On a dead letter: attempts made. */
  deadAttempts: 'x-dead-attempts',
  /** On a dead letter: when, milliseconds since the epoch. */
  deadAt: 'x-dead-at',
} as const;

/** A count that travelled in a header; anything but a positive integer counts as none. */
export function countIn(headers: Readonly<Record<string, unknown>>, name: string): number {
  const value = headers[name];
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
