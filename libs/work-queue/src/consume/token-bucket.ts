const MS_PER_SECOND = 1_000;

/** The share of a second's tokens that may be taken at once. */
const CAPACITY_SECONDS = 0.1;

/** At a rate of a few jobs a month the wait would be longer than a timer can be, which then ends at once. */
const MAX_WAIT_MS = 60 * 60 * MS_PER_SECOND;

/**
 * Holds the starts of jobs down to a rate: each takes a token, and tokens come back evenly.
 *
 * A full bucket holds one tenth of a second's worth, at least 1, so that little is made up for after a quiet
 * while. A take of more than that needs only a full bucket and leaves a debt, which is paid before the next take:
 * a batch of any size gets through, and the average holds. In any interval of T seconds no more is given than
 * rate x T + the larger of capacity and largest take.
 */
export class TokenBucket {
  /** What is in the bucket, said as a time: nothing has to be added up as time goes by, so nothing drifts. */
  private fullAtMs: number;

  /**
   * Begins full.
   *
   * @param ratePerSec more than 0; undefined for no limit
   * @param nowMs of a clock that never goes back, like every time given later
   */
  constructor(
    private ratePerSec: number | undefined,
    nowMs: number,
  ) {
    this.fullAtMs = nowMs;
  }

  /** From now on. A debt stays, tokens only as far as they fit; after no limit at all the bucket begins full. */
  setRate(ratePerSec: number | undefined, nowMs: number): void {
    const missing = this.missingAt(nowMs, ratePerSec);
    this.ratePerSec = ratePerSec;
    this.fullAtMs = nowMs + (ratePerSec === undefined ? 0 : msFor(missing, ratePerSec));
  }

  /**
   * Takes so many tokens if they are there.
   *
   * @param count at least 1
   * @returns 0 if they were taken; otherwise none was, and it is the whole milliseconds until it may be tried
   * again, from 1 to one hour
   */
  take(count: number, nowMs: number): number {
    const { ratePerSec } = this;
    if (ratePerSec === undefined) return 0;
    const notNeeded = Math.max(0, capacityOf(ratePerSec) - count);
    const waitMs = this.fullAtMs - msFor(notNeeded, ratePerSec) - nowMs;
    if (waitMs > 0) return Math.min(MAX_WAIT_MS, Math.ceil(waitMs));
    this.fullAtMs = Math.max(this.fullAtMs, nowMs) + msFor(count, ratePerSec);
    return 0;
  }

  /** Tokens that a bucket of the next rate lacks if it gets what is in this one. */
  private missingAt(nowMs: number, nextRatePerSec: number | undefined): number {
    if (this.ratePerSec === undefined || nextRatePerSec === undefined) return 0;
    const missing = (Math.max(0, this.fullAtMs - nowMs) * this.ratePerSec) / MS_PER_SECOND;
    return Math.max(0, missing + capacityOf(nextRatePerSec) - capacityOf(this.ratePerSec));
  }
}

function capacityOf(ratePerSec: number): number {
  return Math.max(1, ratePerSec * CAPACITY_SECONDS);
}

/** How long that many tokens take to come back. */
function msFor(tokens: number, ratePerSec: number): number {
  return (tokens * MS_PER_SECOND) / ratePerSec;
}
