import { WorkQueueError } from './work-queue.error.js';

/** The broker cannot be reached, or does not let us in, at start. */
export class ConnectError extends WorkQueueError {
  readonly code = 'WQ_CONNECT';
}
