import { WorkQueueError } from './work-queue.error.js';

/** Thrown by a handler: trying again cannot help. The message goes to the dead-letter queue at once. */
export class PermanentFailure extends WorkQueueError {
  readonly code = 'WQ_PERMANENT_FAILURE';
}
