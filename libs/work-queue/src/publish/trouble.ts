/** Refusals further apart than this are of two troubles, even if nothing was accepted in between. */
const MEMORY_MS = 120_000;

/** How long a trouble has lasted that waiting alone does not mend: a broker that is away, a queue without workers. */
export class Trouble {
  private since: number | undefined;
  private lastSeenAt = 0;

  seen(now: number): void {
    if (this.since === undefined || now - this.lastSeenAt > MEMORY_MS) this.since = now;
    this.lastSeenAt = now;
  }

  over(): void {
    this.since = undefined;
  }

  forMs(now: number): number {
    return this.since === undefined ? 0 : now - this.since;
  }
}
