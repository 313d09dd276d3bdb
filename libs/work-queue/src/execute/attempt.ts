import type { MountedHandler } from './work-handler.js';
import type { WorkContext } from './work-context.js';

/** An attempt took longer than its `timeout`. */
export class AttemptTimeout extends Error {
  override readonly name = 'AttemptTimeout';

  constructor(label: string, timeoutMs: number) {
    super(`${label} took longer than its timeout of ${timeoutMs} ms`);
  }
}

/**
 * Runs the handler once, for what it returns. Its signal aborts at the timeout or when `abandoned` aborts; the attempt ends only when
 * the handler's promise does, since nothing can stop running JavaScript. A late success counts as a failure:
 * whoever passed the signal on has stopped half way.
 */
export async function runAttempt(
  handler: MountedHandler,
  payload: unknown,
  context: WorkContext,
  limits: { readonly timeoutMs: number; readonly abandoned: AbortSignal },
): Promise<unknown> {
  const timeout = new AttemptTimeout(handler.label, limits.timeoutMs);
  const attempt = new AbortController();
  const abandon = (): void => attempt.abort(limits.abandoned.reason);
  const timer = setTimeout(() => attempt.abort(timeout), limits.timeoutMs);
  // n.b. not AbortSignal.any: on Node 20 each call leaves an entry on `abandoned`, which lives as long as the process.
  limits.abandoned.addEventListener('abort', abandon, { once: true });
  context.signal = attempt.signal;
  try {
    const result = await handler.invoke(payload, context);
    if (attempt.signal.reason === timeout) throw timeout;
    return result;
  } finally {
    clearTimeout(timer);
    limits.abandoned.removeEventListener('abort', abandon);
  }
}
