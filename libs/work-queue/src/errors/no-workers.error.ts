import { QueueFullError } from './queue-full.error.js';

/** The queue is full and nobody consumes it. Nothing was stored; it stays full until a worker comes. */
export class NoWorkersError extends QueueFullError {
  override readonly code = 'WQ_NO_WORKERS';
  override readonly reason = 'no-workers';
}
