import { PublishRefusedError } from './publish-refused.error.js';

/**
 * The message was sent and no answer came: it may be stored or not. Publish it again only with the same
 * message id and a handler that writes once.
 */
export abstract class OutcomeUnknownError extends PublishRefusedError {
  readonly reason = 'unknown';
}
