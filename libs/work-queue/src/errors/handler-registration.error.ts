import { WorkQueueError } from './work-queue.error.js';

/** A handler cannot be mounted: its queue is unknown or already has a handler in this process. */
export class HandlerRegistrationError extends WorkQueueError {
  readonly code = 'WQ_HANDLER_REGISTRATION';
}
