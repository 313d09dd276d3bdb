import { WorkQueueError, type WorkQueueErrorDetails } from './work-queue.error.js';

/**
 * Thrown by a batch handler: some items failed, all others are done. Each error counts for its item as if a handler of
 * that item alone had thrown it, `PermanentFailure`, `RetryLater` and `DropWork` included.
 *
 * @example throw new BatchFailure(new Map([[3, new Error('no such customer')]]))
 */
export class BatchFailure extends WorkQueueError {
  readonly code = 'WQ_BATCH_FAILURE';

  /** @param failures by position in the batch, from 0 */
  constructor(
    readonly failures: ReadonlyMap<number, unknown>,
    details: WorkQueueErrorDetails = {},
  ) {
    super(`${failures.size} items of the batch failed`, details);
  }
}
