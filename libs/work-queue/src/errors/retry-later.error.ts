import { WorkQueueError, type WorkQueueErrorDetails } from './work-queue.error.js';

const MAX_DELAY_MS = 24 * 60 * 60 * 1_000;

/**
 * Thrown by a handler: not now, and nobody is to blame. The work comes back after the delay and no attempt is counted,
 * so a handler that always asks for it keeps its work for ever.
 *
 * @example throw new RetryLater(30_000, 'the bank is closed')
 */
export class RetryLater extends WorkQueueError {
  readonly code = 'WQ_RETRY_LATER';

  /**
   * @param delayMs 1 to 86,400,000 (a day), rounded up to a step of the wait ladder (0.1, 0.2, 0.5, 1, 2, 5, 10, 30 s, ...)
   * @throws RangeError
   */
  constructor(
    readonly delayMs: number,
    because = 'the handler asked for a later attempt',
    details: WorkQueueErrorDetails = {},
  ) {
    super(because, details);
    if (!isRetryDelay(delayMs)) {
      throw new RangeError(
        `RetryLater: expected a delay of 1 to ${MAX_DELAY_MS} ms, got: ${String(delayMs)}`,
      );
    }
  }
}

export function isRetryDelay(delayMs: unknown): delayMs is number {
  return typeof delayMs === 'number' && delayMs >= 1 && delayMs <= MAX_DELAY_MS;
}
