import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeSample, encodeSample, MAX_SAMPLE_BYTES } from './sample-codec.js';
import { COUNTED_REASONS, JOB_ENDS, type QueueSample } from './queue-sample.js';
import { summarizeTimes } from './summarize-times.js';
import { MAX_COUNT } from './time-codec.js';
import type { TimeCounts } from './time-counts.js';
import { TimeHistogram } from './time-histogram.js';

const HOUR_MS = 3_600_000;
const times = fc.array(fc.double({ min: 0, max: HOUR_MS, noNaN: true }), { maxLength: 50 }).map(timesOf);
const count = fc.nat(MAX_COUNT);
const countsOf = (names: readonly string[]) =>
  fc
    .subarray([...names])
    .chain((some) =>
      fc
        .tuple(...some.map(() => count))
        .map((counts) => Object.fromEntries(some.map((name, place) => [name, counts[place]]))),
    );
const samples: fc.Arbitrary<QueueSample> = fc.record({
  queue: fc.string({ minLength: 1, maxLength: 60 }),
  fromMs: fc.nat(1e9),
  toMs: fc.integer({ min: 1e9, max: 2e9 }),
  accepted: count,
  unknown: count,
  refused: countsOf(COUNTED_REASONS),
  ends: countsOf(JOB_ENDS),
  service: times,
  failedService: times,
  wait: times,
});

const QUIET: QueueSample = {
  queue: 'orders',
  fromMs: 0,
  toMs: 1_000,
  accepted: 0,
  unknown: 0,
  refused: {},
  ends: {},
  service: timesOf([]),
  failedService: timesOf([]),
  wait: timesOf([]),
};

describe('a sample on the wire', () => {
  it('is read as it was sent', () => {
    fc.assert(
      fc.property(samples, (sample) => {
        expect(decodeSample(encodeSample(sample))).toEqual({ sample });
      }),
    );
  });

  it('of a quiet queue is short', () => {
    expect(encodeSample(QUIET).length).toBeLessThan(200);
  });

  it('fits its bound with the longest name, every counter and times of any spread', () => {
    const everywhere = timesOf(spread(100_000, 0.1, HOUR_MS));
    const all = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, MAX_COUNT]));
    const sample: QueueSample = {
      queue: '"'.repeat(200),
      fromMs: 1_790_000_000_000.125,
      toMs: 1_790_000_001_000.875,
      accepted: MAX_COUNT,
      unknown: MAX_COUNT,
      refused: all(COUNTED_REASONS),
      ends: all(JOB_ENDS),
      service: everywhere,
      failedService: everywhere,
      wait: everywhere,
    };
    const body = encodeSample(sample);
    expect(body.length).toBeLessThanOrEqual(MAX_SAMPLE_BYTES);
    expect(decodeSample(body)).toMatchObject({ sample: { queue: sample.queue, wait: { total: 100_000 } } });
  });

  it('of 30,000 jobs a second, exponential service and wait, keeps its mean within 1 % and its p99 within 2 %', () => {
    const quantiles = Array.from({ length: 30_000 }, (_, index) => -Math.log(1 - (index + 0.5) / 30_000));
    const sample = {
      ...QUIET,
      service: timesOf(quantiles.map((quantile) => 5 * quantile)),
      wait: timesOf(quantiles.map((quantile) => 200 * quantile)),
    };
    const decoded = decodeSample(encodeSample(sample));
    if (!('sample' in decoded)) throw new Error(decoded.refusal);
    for (const [read, meanMs] of [
      [decoded.sample.service, 5],
      [decoded.sample.wait, 200],
    ] as const) {
      const summary = summarizeTimes(read);
      expect(Math.abs((summary?.meanMs ?? 0) / meanMs - 1)).toBeLessThan(0.01);
      expect(Math.abs((summary?.p99Ms ?? 0) / (Math.log(100) * meanMs) - 1)).toBeLessThan(0.02);
    }
  });

  it('makes the widest kind coarser, and leaves those alone that are not to blame', () => {
    const sample = {
      ...QUIET,
      service: timesOf(spread(100, 20, 40)),
      wait: timesOf(spread(100_000, 0.1, HOUR_MS)),
    };
    const decoded = decodeSample(encodeSample(sample));
    expect(decoded).toMatchObject({ sample: { service: sample.service } });
    expect(decoded).not.toMatchObject({ sample: { wait: sample.wait } });
  });

  const good: Record<string, unknown> = JSON.parse(encodeSample(QUIET).toString());

  it.each<[string, unknown]>([
    ['is an array', [1]],
    ['is null', null],
    ['has another version', { ...good, v: 2 }],
    ['has no queue', { ...good, queue: undefined }],
    ['has a queue without a name', { ...good, queue: '' }],
    ['has a queue with a name no broker takes', { ...good, queue: 'q'.repeat(256) }],
    ['ends before it begins', { ...good, fromMs: 2, toMs: 1 }],
    ['has no time', { ...good, fromMs: 'yesterday' }],
    ['has a negative count', { ...good, accepted: -1 }],
    ['has half a count', { ...good, unknown: 0.5 }],
    ['has a count without bound', { ...good, accepted: 1e300 }],
    ['has counters that are none', { ...good, refused: [] }],
    ['has a counter that is no number', { ...good, ends: { succeeded: '3' } }],
    ['has no wait times', { ...good, wait: undefined }],
    ['has times that are no bytes', { ...good, service: 17 }],
    ['has times that cannot be read', { ...good, service: 'AAAA' }],
  ])('is refused when it %s', (_, body) => {
    expect(decodeSample(Buffer.from(JSON.stringify(body)))).toEqual({ refusal: expect.any(String) });
  });

  it('is refused when it is no JSON, too long, or nested without end', () => {
    expect(decodeSample(Buffer.from('{'))).toEqual({ refusal: 'not a JSON object' });
    expect(decodeSample(Buffer.alloc(MAX_SAMPLE_BYTES + 1))).toEqual({ refusal: '4097 bytes, at most 4096' });
    const deep = `{"v":${'['.repeat(2_000)}${']'.repeat(2_000)}}`;
    expect(decodeSample(Buffer.from(deep))).toEqual({ refusal: 'expected version 1, got: an object' });
  });

  it('of a later version’s names is read without them', () => {
    const body = {
      ...good,
      more: 1,
      ends: { succeeded: 2, evaporated: 3 },
      refused: { 'queue-full': 1, moon: 1 },
    };
    expect(decodeSample(Buffer.from(JSON.stringify(body)))).toMatchObject({
      sample: { ends: { succeeded: 2 }, refused: { 'queue-full': 1 } },
    });
  });

  it('that was damaged is read or refused, and never throws', () => {
    const bytes = [...encodeSample({ ...QUIET, service: timesOf(spread(50, 1, 100)) })];
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (place, byte) => {
        expect(() => decodeSample(Uint8Array.from(bytes.with(place, byte)))).not.toThrow();
      }),
    );
  });
});

function timesOf(all: readonly number[]): TimeCounts {
  const histogram = new TimeHistogram();
  for (const timeMs of all) histogram.record(timeMs);
  return histogram.counts();
}

/** Evenly over the orders of magnitude. */
function spread(amount: number, from: number, to: number): number[] {
  return Array.from({ length: amount }, (_, index) => from * (to / from) ** (index / amount));
}
