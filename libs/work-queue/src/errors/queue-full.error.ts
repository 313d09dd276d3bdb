import { PublishRefusedError } from './publish-refused.error.js';

/** The queue holds as much as its latency promise allows. Nothing was stored; try again after `retryAfterMs`. */
export class QueueFullError extends PublishRefusedError {
  readonly code: 'WQ_QUEUE_FULL' | 'WQ_NO_WORKERS' = 'WQ_QUEUE_FULL';
  readonly reason: 'queue-full' | 'no-workers' = 'queue-full';
}
