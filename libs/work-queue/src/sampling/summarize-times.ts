import type { TimeCounts } from './time-counts.js';
import { TimeHistogram, type TimeSummary } from './time-histogram.js';

/** Undefined when nothing was counted. */
export function summarizeTimes(counts: TimeCounts): TimeSummary | undefined {
  const histogram = new TimeHistogram();
  histogram.add(counts);
  return histogram.summary();
}
