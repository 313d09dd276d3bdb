import { WorkQueueError } from './work-queue.error.js';

/** What was asked of the dead letters makes no sense, or they cannot be read. The message says what to do next. */
export class DeadLetterError extends WorkQueueError {
  readonly code = 'WQ_DEAD_LETTER';
}
