import { WorkQueueError } from '../errors/work-queue.error.js';

/** The plan log could not be reached in time; nothing was changed. */
export class PlanUnavailableError extends WorkQueueError {
  readonly code = 'WQ_PLAN_UNAVAILABLE';
}
