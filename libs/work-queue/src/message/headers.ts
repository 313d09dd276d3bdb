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
  /** What every header on a dead letter starts with. */
  deadPrefix: 'x-dead-',
  /** On a dead letter: why (`failed`, `permanent`, `undecodable`, `invalid`, `expired`). */
  deadReason: 'x-dead-reason',
  /** On a dead letter: the queue it came from. */
  deadQueue: 'x-dead-queue',
  /** On a dead letter: class and message of the last error, cut to 2,000 characters. */
  deadError: 'x-dead-error',
  /** On a dead letter: attempts made in the process that gave up. */
  deadAttempts: 'x-dead-attempts',
  /** On a dead letter: when, milliseconds since the epoch. */
  deadAt: 'x-dead-at',
} as const;
