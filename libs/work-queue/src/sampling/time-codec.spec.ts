import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Float64Histogram } from 'hdr-histogram-js';
import { BUCKETS, decodeTimes, encodeTimes, MAX_COARSENESS, MAX_COUNT } from './time-codec.js';
import type { TimeCounts } from './time-counts.js';
import { MAX_TIME_MS, TimeHistogram } from './time-histogram.js';
import { summarizeTimes } from './summarize-times.js';

const times = fc
  .uniqueArray(fc.tuple(fc.nat(BUCKETS - 1), fc.integer({ min: 1, max: MAX_COUNT })), {
    selector: ([bucket]) => bucket,
    maxLength: 500,
  })
  .map((filled) => countsOf(filled.toSorted(([a], [b]) => a - b)));

describe('times as bytes', () => {
  it('know as many buckets as the histogram has', () => {
    expect(new Float64Histogram(1, MAX_TIME_MS * 1_000, 2).countsArrayLength).toBe(BUCKETS);
  });

  it('are read as they were written', () => {
    fc.assert(
      fc.property(times, (counts) => {
        expect(decodeTimes(encodeTimes(counts, 0))).toEqual(counts);
      }),
    );
  });

  it('keep every count when made coarser, and the middle of where it was', () => {
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: MAX_COARSENESS }), (counts, coarseness) => {
        const read = decodeTimes(encodeTimes(counts, coarseness));
        const width = 2 ** coarseness;
        const groups = new Set(Array.from(counts.buckets, (bucket) => Math.floor(bucket / width)));
        expect(Array.from(read?.buckets ?? [])).toEqual(
          Array.from(groups, (group) => group * width + width / 2),
        );
      }),
    );
    const histogram = new TimeHistogram();
    for (let timeMs = 1; timeMs <= 1_000; timeMs++) histogram.record(timeMs);
    const read = decodeTimes(encodeTimes(histogram.counts(), 2));
    expect(read?.total).toBe(1_000);
    expect(summarizeTimes(read ?? countsOf([]))?.p99Ms).toBeCloseTo(990, -2);
  });

  it('at their coarsest are few, whatever was counted', () => {
    const all = countsOf(Array.from({ length: BUCKETS }, (_, bucket) => [bucket, MAX_COUNT] as const));
    expect(encodeTimes(all, MAX_COARSENESS).length).toBeLessThanOrEqual(536);
  });

  it.each<[string, number[]]>([
    ['nothing', []],
    ['a coarseness too high', [MAX_COARSENESS + 1, 0]],
    ['no number of clamped times', [0]],
    ['a number that does not end', [0, 0, 0x80]],
    ['a number in more bytes than any takes', [0, 0, 0x82, 0x80, 0x80, 0x80, 0x80, 0x00]],
    ['a count of zero', [0, 0, 0]],
    ['a stretch of no buckets', [0, 0, 1]],
    ['a count beyond the bound', [0, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f]],
    ['more clamped times than the bound', [0, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['a count in the bucket after the last', [0, 0, 0x81, 0x34, 2]],
    ['a count in the group after the last', [5, 0, 0xd1, 0x01, 2]],
  ])('that hold %s are refused', (_, bytes) => {
    expect(decodeTimes(Uint8Array.from(bytes))).toBeUndefined();
  });

  it('may hold a count in the last bucket', () => {
    expect(decodeTimes(Uint8Array.from([0, 0, 0xff, 0x33, 2]))).toEqual(countsOf([[BUCKETS - 1, 1]]));
  });

  it('of any kind are read into a bounded number of buckets, or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const read = decodeTimes(bytes);
        const buckets = Array.from(read?.buckets ?? []);
        expect(buckets.length).toBeLessThanOrEqual(bytes.length);
        expect(buckets.every((bucket) => bucket < BUCKETS)).toBe(true);
        expect(read?.counts.every((count) => count >= 1 && count <= MAX_COUNT)).not.toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });
});

function countsOf(filled: ReadonlyArray<readonly [number, number]>): TimeCounts {
  return {
    buckets: Uint16Array.from(filled, ([bucket]) => bucket),
    counts: Float64Array.from(filled, ([, count]) => count),
    total: filled.reduce((sum, [, count]) => sum + count, 0),
    clamped: 0,
  };
}
