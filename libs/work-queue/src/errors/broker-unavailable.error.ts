import { PublishRefusedError } from './publish-refused.error.js';

/** The broker is away, or refused the message for a reason of its own. Nothing was stored. */
export class BrokerUnavailableError extends PublishRefusedError {
  readonly code = 'WQ_BROKER_UNAVAILABLE';
  readonly reason = 'broker-unavailable';
}
