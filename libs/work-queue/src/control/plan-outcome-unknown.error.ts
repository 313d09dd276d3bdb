import { WorkQueueError } from '../errors/work-queue.error.js';

/**
 * The change was sent and not read back in time: it may be in force, come into force yet, or be lost. The history
 * tells, by the id in the message.
 */
export class PlanOutcomeUnknownError extends WorkQueueError {
  readonly code = 'WQ_PLAN_OUTCOME_UNKNOWN';
}
