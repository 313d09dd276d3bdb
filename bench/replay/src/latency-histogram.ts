import { build } from 'hdr-histogram-js';

const US_PER_MS = 1_000;

/** An HDR histogram of milliseconds, kept to 3 significant digits with microsecond steps. */
export class LatencyHistogram {
  private readonly us = build({
    lowestDiscernibleValue: 1,
    numberOfSignificantValueDigits: 3,
    autoResize: true,
  });

  /** A value below 0 (clocks of different resolution) counts as 0. */
  recordMs(latencyMs: number): void {
    this.us.recordValue(Math.max(0, Math.round(latencyMs * US_PER_MS)));
  }

  /** Null when nothing was recorded: no percentile is better than an invented 0. */
  percentileMs(percentile: number): number | null {
    return this.us.totalCount === 0 ? null : this.us.getValueAtPercentile(percentile) / US_PER_MS;
  }
}
