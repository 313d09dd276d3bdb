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
 * Runs the handler once. Its signal aborts at the timeout or when `abandoned` aborts; the attempt ends only when
 * the handler's promise does, since nothing can stop running JavaScript. A late success counts as a failure:
 * whoever passed the signal on has stopped half way.
 */
export async function runAttempt(
  handler: MountedHandler,
  payload: unknown,
  context: WorkContext,
  limits: { readonly timeoutMs: number; readonly abandoned: AbortSignal },
): Promise<void> {
  const deadline = new AbortController();
  const timeout = new AttemptTimeout(handler.label, limits.timeoutMs);
  const timer = setTimeout(() => deadline.abort(timeout), limits.timeoutMs);
  context.signal = AbortSignal.any([deadline.signal, limits.abandoned]);
  try {
    await handler.invoke(payload, context);
    deadline.signal.throwIfAborted();
  } finally {
    clearTimeout(timer);
  }
}
