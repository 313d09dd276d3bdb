import { PublishRefusedError } from './publish-refused.error.js';

/** The message is larger than the broker would take; it would close the channel. Nothing was sent. */
export class MessageTooLargeError extends PublishRefusedError {
  readonly code = 'WQ_MESSAGE_TOO_LARGE';
  readonly reason = 'too-large';
}
