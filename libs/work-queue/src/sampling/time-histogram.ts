import { Float64Histogram } from 'hdr-histogram-js';
import type { TimeCounts } from './time-counts.js';

/** Shorter times count as this one. */
const MIN_TIME_MS = 0.1;
/** Longer times count as this one. */
export const MAX_TIME_MS = 3_600_000;

/** Whole microseconds up to 255 of them, so that two digits hold at 0.1 ms too. */
const UNITS_PER_MS = 1_000;
const SIGNIFICANT_DIGITS = 2;

/** What a bounded number of buckets says of many times; all but `count` right to two digits. */
export interface TimeSummary {
  readonly count: number;
  readonly meanMs: number;
  /** Standard deviation / mean. */
  readonly cv: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * Counts times from {@link MIN_TIME_MS} to {@link MAX_TIME_MS} in 3,328 buckets, 26 KiB, whatever is recorded. A bucket
 * is at most 1/128 of its times wide. The counts are doubles: those of many processes never overflow.
 */
export class TimeHistogram {
  private readonly buckets = new Float64Histogram(1, MAX_TIME_MS * UNITS_PER_MS, SIGNIFICANT_DIGITS);
  private clamped = 0;

  /** A time out of range counts as the nearest in it, and one that is no number as the shortest. */
  record(timeMs: number): void {
    this.buckets.recordValue(this.clamp(timeMs) * UNITS_PER_MS);
  }

  add({ buckets, counts, total, clamped }: TimeCounts): void {
    // By index: a minute of a busy queue is some 100,000 of them.
    for (let place = 0; place < buckets.length; place++) {
      this.buckets.addToCountAtIndex(buckets[place] ?? 0, counts[place] ?? 0);
    }
    this.buckets.addToTotalCount(total);
    this.clamped += clamped;
  }

  reset(): void {
    this.buckets.reset();
    this.clamped = 0;
  }

  /** What was counted since the last reset. */
  counts(): TimeCounts {
    const filled: number[] = [];
    for (let bucket = 0; bucket < this.buckets.countsArrayLength; bucket++) {
      if (this.buckets.getCountAtIndex(bucket) > 0) filled.push(bucket);
    }
    return {
      buckets: Uint16Array.from(filled),
      counts: Float64Array.from(filled, (bucket) => this.buckets.getCountAtIndex(bucket)),
      total: this.buckets.totalCount,
      clamped: this.clamped,
    };
  }

  /** Undefined when nothing was counted. */
  summary(): TimeSummary | undefined {
    const count = this.buckets.totalCount;
    if (count === 0) return undefined;
    const { meanMs, cv } = this.moments(count);
    return { count, meanMs, cv, p50Ms: this.percentileMs(50), p99Ms: this.percentileMs(99) };
  }

  private clamp(timeMs: number): number {
    if (timeMs >= MIN_TIME_MS && timeMs <= MAX_TIME_MS) return timeMs;
    this.clamped++;
    return timeMs > MAX_TIME_MS ? MAX_TIME_MS : MIN_TIME_MS;
  }

  /** The library has both, but its iteration takes milliseconds of the event loop. */
  private moments(count: number): Pick<TimeSummary, 'meanMs' | 'cv'> {
    let sum = 0;
    let sumOfSquares = 0;
    for (let bucket = 0; bucket < this.buckets.countsArrayLength; bucket++) {
      const timesInIt = this.buckets.getCountAtIndex(bucket);
      if (timesInIt === 0) continue;
      const timeMs = this.middleMsOf(bucket);
      sum += timesInIt * timeMs;
      sumOfSquares += timesInIt * timeMs * timeMs;
    }
    const meanMs = sum / count;
    const variance = Math.max(0, sumOfSquares / count - meanMs * meanMs);
    return { meanMs, cv: Math.sqrt(variance) / meanMs };
  }

  private middleMsOf(bucket: number): number {
    const from = this.buckets.valueFromIndex(bucket);
    return (from + this.buckets.sizeOfEquivalentValueRange(from) / 2) / UNITS_PER_MS;
  }

  private percentileMs(percentile: number): number {
    return Math.min(MAX_TIME_MS, this.buckets.getValueAtPercentile(percentile) / UNITS_PER_MS);
  }
}
