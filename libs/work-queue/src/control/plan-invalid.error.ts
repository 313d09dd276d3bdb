import { WorkQueueError } from '../errors/work-queue.error.js';

/** The change cannot be an entry of the plan log: too large, or without an author, a reason or words. */
export class PlanInvalidError extends WorkQueueError {
  readonly code = 'WQ_PLAN_INVALID';
}
