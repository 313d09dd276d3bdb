import { WorkQueueError } from '../errors/work-queue.error.js';

/** Others changed the plan first, again and again; nothing was changed. */
export class PlanConflictError extends WorkQueueError {
  readonly code = 'WQ_PLAN_CONFLICT';
}
