import { WorkQueueError } from './work-queue.error.js';

/** The QoS file, the environment or a module option is wrong. The message names every problem. */
export class ConfigurationError extends WorkQueueError {
  readonly code = 'WQ_CONFIGURATION';
}
