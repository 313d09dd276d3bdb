import type { RefusalNotice } from '../errors/refusal.js';
import type { WorkFailedError } from '../errors/work-failed.error.js';
import type { RefusalReason } from '../errors/work-queue.error.js';

/** RFC 9457 body of a refused publish. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly reason: RefusalReason;
  readonly code: string;
  readonly queue: string;
  /** The id the work was, or would have been, accepted under. */
  readonly id: string;
  readonly retryAfterMs?: number;
}

/** A problem as it goes out, whoever sends it. */
export interface HttpProblem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const CONTENT_TYPE = 'application/problem+json; charset=utf-8';

const TITLES: Record<RefusalReason, string> = {
  'queue-full': 'The queue is full',
  'no-workers': 'The queue is full and has no workers',
  'gateway-busy': 'The gateway is busy',
  'broker-unavailable': 'The message broker is unavailable',
  'broker-alarm': 'The message broker is in an alarm',
  unroutable: 'The queue does not exist',
  unknown: 'The outcome is unknown',
  'too-large': 'The message is too large',
  'invalid-message': 'The message cannot be sent',
  conflict: 'The key was used for other content',
};

/** 503: we are short, come back. 500: we are at fault. 413: this will never fit. 422: other work needs another key. */
function statusOf(reason: RefusalReason): number {
  switch (reason) {
    case 'unroutable':
    case 'invalid-message':
      return 500;
    case 'too-large':
      return 413;
    case 'conflict':
      return 422;
    case 'queue-full':
    case 'no-workers':
    case 'gateway-busy':
    case 'broker-unavailable':
    case 'broker-alarm':
    case 'unknown':
      return 503;
  }
}

/** @param refusal a PublishRefusedError, or the plain notice of a refusal that never became an error */
export function toProblem(refusal: RefusalNotice): Problem {
  const { reason, code, queue, messageId, retryAfterMs } = refusal;
  return {
    type: typeOf(reason),
    title: TITLES[reason],
    status: statusOf(reason),
    detail: refusal.message,
    reason,
    code,
    queue,
    id: messageId,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** The answer to a refused publish: the same before the body was read as after it. */
export function refusedProblem(refusal: RefusalNotice): HttpProblem {
  const problem = toProblem(refusal);
  const { status, retryAfterMs } = problem;
  const body = JSON.stringify(problem);
  if (retryAfterMs === undefined) return { status, headers: { 'content-type': CONTENT_TYPE }, body };
  const retryAfter = String(retryAfterSeconds(retryAfterMs));
  return { status, headers: { 'content-type': CONTENT_TYPE, 'retry-after': retryAfter }, body };
}

/** The answer to a caller who waited for work that failed. */
export function failedProblem({ message, code, queue, messageId, deadReason }: WorkFailedError): HttpProblem {
  const status = deadReason === 'invalid' || deadReason === 'undecodable' ? 422 : 500;
  const problem = {
    type: typeOf('work-failed'),
    title: 'The work failed',
    status,
    detail: message,
    reason: 'work-failed',
    code,
    queue,
    id: messageId,
    deadReason,
  };
  return { status, headers: { 'content-type': CONTENT_TYPE }, body: JSON.stringify(problem) };
}

/** RFC 9110 wants whole seconds; never 0, which clients read as "now". */
export function retryAfterSeconds(retryAfterMs: number): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1_000));
}

function typeOf(reason: string): string {
  return `urn:spillway:problem:${reason}`;
}
