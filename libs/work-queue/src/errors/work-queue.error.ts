/** Why a publish was not accepted. The HTTP side shows it as the problem's `reason`. */
export type RefusalReason =
  | 'queue-full'
  | 'no-workers'
  | 'gateway-busy'
  | 'broker-unavailable'
  | 'broker-alarm'
  | 'unroutable'
  | 'unknown'
  | 'too-large'
  | 'invalid-message'
  | 'conflict';

export interface WorkQueueErrorDetails {
  readonly queue?: string;
  readonly cause?: unknown;
}

/**
 * Root of every error this package throws on purpose.
 * `code` is stable and meant to be branched on; the message is for people and may change.
 */
export abstract class WorkQueueError extends Error {
  abstract readonly code: string;
  readonly queue: string | undefined;

  constructor(message: string, details: WorkQueueErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.queue = details.queue;
  }
}
