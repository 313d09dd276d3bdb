/** How one attempt ended. `retryAfterMs` is what the gateway asked for, if it did. */
export type AttemptOutcome =
  | { kind: 'accepted' }
  | { kind: 'rejected'; reason: string; isShed: boolean; isRetriable: boolean; retryAfterMs?: number }
  | { kind: 'unknown'; reason: string; retryAfterMs?: number };

export interface Answer {
  status: number;
  retryAfterHeader: string | undefined;
  body: string;
  /** False when the connection broke, or the time was up, before the body's end. */
  isComplete: boolean;
}

interface ProblemBody {
  reason?: unknown;
  retryAfterMs?: unknown;
}

const SHORTAGE_STATUSES = new Set([429, 503]);

/**
 * | answer                    | outcome                                                      |
 * |---------------------------|--------------------------------------------------------------|
 * | 202                       | accepted                                                     |
 * | 503 with reason `unknown` | unknown: it may have been stored                             |
 * | 503 whose body broke off  | unknown: the reason may have been `unknown`                  |
 * | 503 otherwise             | rejected with the problem's reason; may be retried           |
 * | 429                       | rejected as `http-429…`; may be retried                      |
 * | any other 4xx or 5xx      | rejected as `http-<status>` and its reason; never retried    |
 * | anything else             | unknown: 200 or 302 does not promise that the work is stored |
 */
export function classifyAnswer({ status, retryAfterHeader, body, isComplete }: Answer): AttemptOutcome {
  if (status === 202) return { kind: 'accepted' };
  if (status < 400) return { kind: 'unknown', reason: `http-${status}` };
  if (status === 503 && !isComplete) return { kind: 'unknown', reason: 'broken-off-503' };
  const problem = parseProblem(body);
  const reason = nameReason(status, problem);
  const wait = retryAfter(problem, retryAfterHeader);
  if (status === 503 && reason === 'unknown') return { kind: 'unknown', reason: 'unknown-503', ...wait };
  return {
    kind: 'rejected',
    reason,
    isShed: status === 503,
    isRetriable: SHORTAGE_STATUSES.has(status),
    ...wait,
  };
}

function parseProblem(body: string): ProblemBody {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

/** Only short plain words are taken over from a body: the reason becomes a key of the report. */
function nameReason(status: number, { reason }: ProblemBody): string {
  const isPlainWord = typeof reason === 'string' && /^[a-z0-9][a-z0-9-]{0,39}$/.test(reason);
  if (!isPlainWord) return `http-${status}`;
  return status === 503 ? reason : `http-${status} ${reason}`;
}

/** The body's milliseconds before the header's whole seconds: they are the finer answer. */
function retryAfter({ retryAfterMs }: ProblemBody, header: string | undefined): { retryAfterMs?: number } {
  if (typeof retryAfterMs === 'number' && Number.isFinite(retryAfterMs) && retryAfterMs >= 0)
    return { retryAfterMs };
  return header !== undefined && /^\d{1,9}$/.test(header) ? { retryAfterMs: Number(header) * 1_000 } : {};
}
