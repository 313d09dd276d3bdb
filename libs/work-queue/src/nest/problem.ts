import type { PublishRefusedError } from '../errors/publish-refused.error.js';
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

const TITLES: Record<RefusalReason, string> = {
  'queue-full': 'The queue is full',
  'gateway-busy': 'The gateway is busy',
  'broker-unavailable': 'The message broker is unavailable',
  'broker-alarm': 'The message broker is in an alarm',
  unroutable: 'The queue does not exist',
  unknown: 'The outcome is unknown',
  'too-large': 'The message is too large',
};

/** 503: we are short, come back. 500: we are misconfigured. 413: this will never fit. */
function statusOf(reason: RefusalReason): number {
  switch (reason) {
    case 'unroutable':
      return 500;
    case 'too-large':
      return 413;
    case 'queue-full':
    case 'gateway-busy':
    case 'broker-unavailable':
    case 'broker-alarm':
    case 'unknown':
      return 503;
  }
}

export function toProblem(error: PublishRefusedError): Problem {
  const { reason, code, queue, messageId, retryAfterMs } = error;
  return {
    type: `urn:spillway:problem:${reason}`,
    title: TITLES[reason],
    status: statusOf(reason),
    detail: error.message,
    reason,
    code,
    queue,
    id: messageId,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** RFC 9110 wants whole seconds; never 0, which clients read as "now". */
export function retryAfterSeconds(retryAfterMs: number): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1_000));
}
