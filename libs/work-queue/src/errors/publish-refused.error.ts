import { type RefusalReason, WorkQueueError, type WorkQueueErrorDetails } from './work-queue.error.js';

export interface PublishRefusedDetails extends WorkQueueErrorDetails {
  readonly queue: string;
  /** The id the message was, or would have been, published with. */
  readonly messageId: string;
  /** When trying again makes sense, in milliseconds from now; undefined when it does not. */
  readonly retryAfterMs?: number;
}

/** A publish that did not end in a confirm. The subclass says what is known of the message. */
export abstract class PublishRefusedError extends WorkQueueError {
  abstract readonly reason: RefusalReason;
  declare readonly queue: string;
  readonly messageId: string;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: PublishRefusedDetails) {
    super(message, details);
    this.messageId = details.messageId;
    this.retryAfterMs = details.retryAfterMs;
  }
}
