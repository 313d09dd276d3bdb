import { WorkQueueError, type WorkQueueErrorDetails } from './work-queue.error.js';

export interface WorkFailedDetails extends WorkQueueErrorDetails {
  readonly queue: string;
  readonly messageId: string;
  /** Why it was dead-lettered. */
  readonly deadReason: string;
}

/** Work that a caller waited for was dead-lettered: nobody will try it again by itself. */
export class WorkFailedError extends WorkQueueError {
  readonly code = 'WQ_WORK_FAILED';
  declare readonly queue: string;
  readonly messageId: string;
  readonly deadReason: string;

  constructor(message: string, details: WorkFailedDetails) {
    super(message, details);
    this.messageId = details.messageId;
    this.deadReason = details.deadReason;
  }
}
