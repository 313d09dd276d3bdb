import { WorkQueueError } from '../errors/work-queue.error.js';

/** A thread ended before it had answered: `process.exit` in it, out of memory, or an error nobody waited for. */
export class ThreadDied extends WorkQueueError {
  readonly code = 'WQ_THREAD_DIED';
}
