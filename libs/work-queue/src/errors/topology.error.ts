import { WorkQueueError } from './work-queue.error.js';

/** A queue or policy on the broker contradicts the QoS file. Nothing was changed on the broker. */
export class TopologyError extends WorkQueueError {
  readonly code = 'WQ_TOPOLOGY';
}
