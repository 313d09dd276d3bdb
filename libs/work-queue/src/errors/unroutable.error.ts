import { PublishRefusedError } from './publish-refused.error.js';

/** The queue does not exist on the broker: a deployment error, trying again does not help. */
export class UnroutableError extends PublishRefusedError {
  readonly code = 'WQ_UNROUTABLE';
  readonly reason = 'unroutable';
}
