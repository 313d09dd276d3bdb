import { WorkQueueError } from './work-queue.error.js';

/** Thrown by a handler: the work need not be done any more. It is acknowledged and counted as dropped. */
export class DropWork extends WorkQueueError {
  readonly code = 'WQ_DROP_WORK';
}
