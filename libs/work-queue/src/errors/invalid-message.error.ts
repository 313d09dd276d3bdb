import { PublishRefusedError } from './publish-refused.error.js';

/** The payload, a header or an option is something that cannot be sent. Nothing was; correct it. */
export class InvalidMessageError extends PublishRefusedError {
  readonly code = 'WQ_INVALID_MESSAGE';
  readonly reason = 'invalid-message';
}
