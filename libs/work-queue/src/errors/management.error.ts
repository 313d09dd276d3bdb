import { WorkQueueError } from './work-queue.error.js';

/** The management API is missing, unreachable or refused a request. */
export class ManagementError extends WorkQueueError {
  readonly code = 'WQ_MANAGEMENT';
}
