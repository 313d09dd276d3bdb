import type { AttemptOutcome } from './attempt-outcome.js';

/** Raised by the client itself when a request has had its time. */
export class RequestTimeoutError extends Error {
  readonly code = 'REPLAY_REQUEST_TIMEOUT';
}

/** These come before a byte is sent, so the delivery cannot have been stored. */
const NOT_SENT_REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection-refused',
  EADDRNOTAVAIL: 'no-local-port',
  EMFILE: 'no-file-descriptor',
  ENOTFOUND: 'host-not-found',
};

const UNKNOWN_REASONS: Readonly<Record<string, string>> = {
  REPLAY_REQUEST_TIMEOUT: 'timeout',
  ECONNRESET: 'connection-reset',
  EPIPE: 'connection-reset',
};

/** A request without an answer: rejected if it surely never left, otherwise unknown. */
export function classifyFailure(error: NodeJS.ErrnoException): AttemptOutcome {
  const code = error.code ?? error.name;
  const notSentReason = NOT_SENT_REASONS[code];
  if (notSentReason !== undefined) {
    return { kind: 'rejected', reason: notSentReason, isShed: false, isRetriable: true };
  }
  return { kind: 'unknown', reason: UNKNOWN_REASONS[code] ?? `socket ${code.toLowerCase()}` };
}
