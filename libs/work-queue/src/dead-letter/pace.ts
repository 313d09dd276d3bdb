import { setTimeout as delay } from 'node:timers/promises';

/** Evenly spaced turns, at most so many a second; time that was not used is not made up for. */
export class Pace {
  private readonly intervalMs: number;
  private nextAt = 0;

  /** @param ratePerSec more than 0 */
  constructor(ratePerSec: number) {
    this.intervalMs = 1_000 / ratePerSec;
  }

  /** Resolves when it is time for the next, or at once when the signal aborts. Never rejects. */
  async turn(signal: AbortSignal | undefined): Promise<void> {
    const waitMs = this.nextAt - performance.now();
    if (waitMs > 0) await delay(waitMs, undefined, { signal }).catch(() => undefined);
    this.nextAt = performance.now() + this.intervalMs;
  }
}
