import { OutcomeUnknownError } from './outcome-unknown.error.js';

/** The broker stayed silent until the confirm deadline. */
export class ConfirmTimeoutError extends OutcomeUnknownError {
  readonly code = 'WQ_CONFIRM_TIMEOUT';
}
