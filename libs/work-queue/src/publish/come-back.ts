import { backoffRetryAfterMs, MIN_RETRY_AFTER_MS, retryAfterMs } from '@spillway/qos';
import type { ComeBack, PublishTarget } from './publish-decision.js';

export interface Circumstances {
  /** Ready messages as last read; undefined when nobody knows. */
  readonly ready: number | undefined;
  /** Offered / accepted over the last 10 s, at least 1; undefined when nothing was accepted. */
  readonly demand: number | undefined;
  /** How long nothing has been accepted for a reason that waiting alone does not mend, milliseconds. */
  readonly troubleForMs: number;
  /** How long ago something was accepted, milliseconds. */
  readonly lastAcceptedMs: number;
}

/**
 * When a refused client should come back, milliseconds; undefined when it should not.
 * @param random in [0, 1): clients that were refused together must not come back together
 */
export function comeBackMs(
  comeBack: ComeBack,
  target: PublishTarget,
  { ready, demand, troubleForMs, lastAcceptedMs }: Circumstances,
  random: number,
): number | undefined {
  switch (comeBack) {
    case 'never':
      return undefined;
    case 'backing-off':
      return backoffRetryAfterMs({ forMs: troubleForMs }, random);
    case 'soon':
      return backoffRetryAfterMs({ forMs: MIN_RETRY_AFTER_MS }, random);
    case 'drained': {
      const fill = { ...target, ready: ready ?? target.maxLength, demand: demand ?? 1 };
      const drainedMs = retryAfterMs(fill, random);
      if (demand !== undefined) return drainedMs;
      // Nothing was accepted lately: it does not drain as its numbers say.
      return Math.max(drainedMs, backoffRetryAfterMs({ forMs: lastAcceptedMs }, random));
    }
  }
}
