import { setTimeout as delay } from 'node:timers/promises';

const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;

/**
 * While what failed cannot be stored anywhere, it keeps its place for a while before it is given back: as long as this
 * has lasted, so that it does not go round in a hot loop. Handlers that fail thereby use up their places, and nothing
 * more of it is made; those that succeed need nothing stored and go on, as they must in a memory alarm, which only
 * consuming ends.
 */
export class StoreTrouble {
  /** `performance.now()`; undefined while copies are stored. */
  private since: number | undefined;
  /** When the last pause ended or ends, `performance.now()`. */
  private pausedUntil = 0;

  constructor(private readonly stopping: AbortSignal) {}

  /** Resolves at the end of the pause; at once when we stop. */
  async unstored(): Promise<void> {
    const now = performance.now();
    // Where nothing failed for that long nothing is known, and this is another trouble.
    if (this.since === undefined || now - this.pausedUntil > MAX_PAUSE_MS) this.since = now;
    const pauseMs = Math.min(MAX_PAUSE_MS, Math.max(FIRST_PAUSE_MS, now - this.since));
    this.pausedUntil = Math.max(this.pausedUntil, now + pauseMs);
    await delay(pauseMs, undefined, { signal: this.stopping }).catch(() => undefined);
  }

  stored(): void {
    this.since = undefined;
  }
}
