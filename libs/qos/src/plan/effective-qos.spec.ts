import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { resolveQueueQos } from '../schema/resolve-queue-qos.js';
import { effectiveQos } from './effective-qos.js';
import type { Override, Overrides } from './override.js';

const fileOptions = { maxLatency: '1s', serviceTime: '50ms', concurrency: 10 };
const NOW_MS = 1_000_000;

describe('effectiveQos', () => {
  it('is what the file says as long as nothing is overridden', () => {
    fc.assert(
      fc.property(fc.string(), fc.oneof(fc.jsonValue(), fc.anything()), (queue, options) => {
        const effective = effectiveQos({ queue, fileOptions: options, overrides: {}, nowMs: NOW_MS });
        const resolved = resolveQueueQos(queue, options);
        expect(effective).toEqual({ ...resolved, nextExpiryMs: undefined, ignored: [] });
      }),
    );
  });

  it('is the same as if the overrides stood in the file', () => {
    const options = { concurrency: 20, rate: '200/s', maxLatency: '2s' };
    const effective = effectiveOf({ jobs: Object.fromEntries(overridesOf(options)) });
    expect(effective).toMatchObject(resolveQueueQos('jobs', { ...fileOptions, ...options }));
    expect(effective).toMatchObject({ ok: true, qos: { concurrency: 20, ratePerSec: 200, window: 58 } });
  });

  it('leaves other queues alone', () => {
    expect(effectiveOf({ mail: { prefetch: override(20) } })).toMatchObject({ qos: { prefetch: 10 } });
  });

  it('refuses what a file would be refused for, in the same words', () => {
    expect(effectiveOf({ jobs: { prefetch: override(5) } })).toMatchObject({
      ok: false,
      problems: [{ message: 'queues.jobs.prefetch: expected at least the concurrency of 10, got: 5' }],
    });
  });

  it('leaves an override out from the millisecond in which it ends', () => {
    const overrides = { jobs: { prefetch: override(20, NOW_MS) } };
    const at = (nowMs: number) => effectiveQos({ queue: 'jobs', fileOptions, overrides, nowMs });
    expect(at(NOW_MS - 1)).toMatchObject({ qos: { prefetch: 20 }, nextExpiryMs: NOW_MS });
    expect(at(NOW_MS)).toMatchObject({ qos: { prefetch: 10 }, nextExpiryMs: undefined });
  });

  it('says when the next of several ends', () => {
    const jobs = {
      prefetch: override(20, NOW_MS + 300),
      concurrency: override(20, NOW_MS + 200),
      rate: override('5/s', NOW_MS - 1),
      window: override(5),
    };
    expect(effectiveOf({ jobs, mail: { rate: override('5/s', NOW_MS + 1) } }).nextExpiryMs).toBe(
      NOW_MS + 200,
    );
  });

  it('holds from the moment it is known, whatever clock it was set by', () => {
    const jobs = { prefetch: { ...override(20), atMs: NOW_MS + 60_000 } };
    expect(effectiveOf({ jobs })).toMatchObject({ qos: { prefetch: 20 } });
  });

  it('leaves out and reports what this version does not know or cannot change while it runs', () => {
    const jobs = { prefetch: override(20), burst: override(3, NOW_MS + 5), timeout: override('5s') };
    const effective = effectiveOf({ jobs });
    expect(effective).toMatchObject({ ok: true, qos: { prefetch: 20, timeoutMs: 30_000 } });
    expect(effective.nextExpiryMs).toBeUndefined();
    expect(effective.ignored.map(({ path }) => path)).toEqual([
      ['queues', 'jobs', 'burst'],
      ['queues', 'jobs', 'timeout'],
    ]);
  });

  it('never throws, whatever the values are', () => {
    const names = fc.oneof(
      fc.string(),
      fc.constantFrom('prefetch', 'rate', 'maxLength', 'paused', '__proto__'),
    );
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue()), fc.jsonValue(), (values, options) => {
        const jobs = Object.fromEntries(overridesOf(values));
        const effective = effectiveQos({
          queue: 'jobs',
          fileOptions: options,
          overrides: { jobs },
          nowMs: 0,
        });
        expect(typeof effective.ok).toBe('boolean');
      }),
    );
  });
});

function effectiveOf(overrides: Overrides) {
  return effectiveQos({ queue: 'jobs', fileOptions, overrides, nowMs: NOW_MS });
}

function overridesOf(values: Readonly<Record<string, unknown>>): [string, Override][] {
  return Object.entries(values).map(([option, value]) => [option, override(value)]);
}

function override(value: unknown, untilMs?: number): Override {
  const set = { value, author: 'ada', reason: 'spring sale', atMs: 0 };
  return untilMs === undefined ? set : { ...set, untilMs };
}
