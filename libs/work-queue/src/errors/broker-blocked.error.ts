import { PublishRefusedError } from './publish-refused.error.js';

/** The broker is in a memory or disk alarm and takes no publishes. Nothing was sent. */
export class BrokerBlockedError extends PublishRefusedError {
  readonly code = 'WQ_BROKER_BLOCKED';
  readonly reason = 'broker-alarm';
}
