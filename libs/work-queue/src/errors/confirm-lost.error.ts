import { OutcomeUnknownError } from './outcome-unknown.error.js';

/** The connection or channel went away between the publish and its confirm. */
export class ConfirmLostError extends OutcomeUnknownError {
  readonly code = 'WQ_CONFIRM_LOST';
}
