import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { changed, type Change } from './changed.js';
import type { Override, Overrides } from './override.js';

const NOW_MS = 1_000_000;
const who = { author: 'ada', reason: 'spring sale', atMs: NOW_MS };
const earlier = { value: 5, author: 'bob', reason: 'calm', atMs: 1 };

describe('changed', () => {
  it('sets options with who, why and when, and keeps the others', () => {
    const set: Change = { ...who, kind: 'set', queue: 'jobs', values: { prefetch: 20, rate: '5/s' } };
    expect(changed({ jobs: { window: earlier }, mail: { window: earlier } }, set)).toEqual({
      jobs: {
        window: earlier,
        prefetch: { ...who, value: 20 },
        rate: { ...who, value: '5/s' },
      },
      mail: { window: earlier },
    });
  });

  it('puts an override in the place of an older one, with its own end or none', () => {
    const before = { jobs: { prefetch: { ...earlier, untilMs: NOW_MS + 5 } } };
    const set: Change = { ...who, kind: 'set', queue: 'jobs', values: { prefetch: 20 } };
    expect(changed(before, set)).toStrictEqual({ jobs: { prefetch: { ...who, value: 20 } } });
    const untilMs = NOW_MS + 60_000;
    expect(changed(before, { ...set, untilMs })).toStrictEqual({
      jobs: { prefetch: { ...who, value: 20, untilMs } },
    });
  });

  it('clears the options that are named', () => {
    const before = { jobs: { prefetch: earlier, rate: earlier, window: earlier } };
    expect(changed(before, clear('jobs', ['prefetch', 'rate']))).toEqual({ jobs: { window: earlier } });
  });

  it('resets one queue', () => {
    const before = { jobs: { prefetch: earlier, rate: earlier }, mail: { prefetch: earlier } };
    expect(changed(before, { ...who, kind: 'reset', queue: 'jobs' })).toEqual({
      mail: { prefetch: earlier },
    });
  });

  it('drops what has ended by then, of every queue, and keeps what ends later', () => {
    const ended = { ...earlier, untilMs: NOW_MS };
    const later = { ...earlier, untilMs: NOW_MS + 1 };
    const before = { jobs: { prefetch: ended, rate: later }, mail: { prefetch: ended } };
    expect(changed(before, clear('jobs', []))).toEqual({ jobs: { rate: later } });
  });

  it('is undone by clearing what was set where nothing was set before', () => {
    fc.assert(
      fc.property(overrides(), names(), names(), fc.jsonValue(), (before, queue, option, value) => {
        const without = changed(before, clear(queue, [option]));
        const set: Change = { ...who, kind: 'set', queue, values: { [option]: value } };
        expect(changed(changed(without, set), clear(queue, [option]))).toEqual(without);
      }),
    );
  });

  it('does the same again when it is done twice, and leaves its input alone', () => {
    fc.assert(
      fc.property(overrides(), names(), names(), fc.jsonValue(), (before, queue, option, value) => {
        const copy = structuredClone(before);
        const set: Change = { ...who, kind: 'set', queue, values: { [option]: value } };
        expect(changed(changed(before, set), set)).toEqual(changed(before, set));
        expect(before).toEqual(copy);
      }),
    );
  });
});

function clear(queue: string, options: string[]): Change {
  return { ...who, kind: 'clear', queue, options };
}

function names(): fc.Arbitrary<string> {
  return fc.oneof(fc.string(), fc.constantFrom('jobs', 'prefetch', 'constructor', '__proto__'));
}

/** None that has ended, no queue without any. */
function overrides(): fc.Arbitrary<Overrides> {
  const override: fc.Arbitrary<Override> = fc.record(
    {
      value: fc.jsonValue(),
      author: fc.string(),
      reason: fc.string(),
      atMs: fc.nat(),
      untilMs: fc.integer({ min: NOW_MS + 1 }),
    },
    { requiredKeys: ['value', 'author', 'reason', 'atMs'] },
  );
  return fc.dictionary(names(), fc.dictionary(names(), override, { minKeys: 1 }));
}
