import { PublishRefusedError } from './publish-refused.error.js';

/** No slot of the confirm window came free in time. Nothing was sent. */
export class PublisherBusyError extends PublishRefusedError {
  readonly code = 'WQ_PUBLISHER_BUSY';
  readonly reason = 'gateway-busy';
}
