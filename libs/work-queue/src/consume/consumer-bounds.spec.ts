import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ConfigurationError } from '../errors/configuration.error.js';
import { boundsProblem, type ConsumerBounds, duePrefetch, resized } from './consumer-bounds.js';

const NOW: ConsumerBounds = { prefetch: 20, concurrency: 10 };

describe('bounds after a resize', () => {
  it.each([
    [{}, { prefetch: 20, concurrency: 10 }],
    [{ prefetch: 30 }, { prefetch: 30, concurrency: 10 }],
    [{ concurrency: 15 }, { prefetch: 20, concurrency: 15 }],
    [{ concurrency: 25 }, { prefetch: 25, concurrency: 25 }],
    [{ prefetch: 5 }, { prefetch: 5, concurrency: 5 }],
    [
      { prefetch: 8, concurrency: 4 },
      { prefetch: 8, concurrency: 4 },
    ],
    [
      { prefetch: 65_535, concurrency: 65_535 },
      { prefetch: 65_535, concurrency: 65_535 },
    ],
    [{ rate: '5/s' }, { prefetch: 20, concurrency: 10 }],
  ])('by %j follow only where they have to: %j', (change, bounds) => {
    expect(resized(NOW, change, 1)).toEqual(bounds);
  });

  it.each([
    [{ prefetch: 4, concurrency: 5 }, 'got: prefetch 4, concurrency 5. Raise prefetch or lower concurrency'],
    [{ prefetch: 0 }, 'integers from 1 to 65535, got: prefetch 0, concurrency 0'],
    [{ concurrency: 0 }, 'got: prefetch 20, concurrency 0'],
    [{ concurrency: 1.5 }, 'got: prefetch 20, concurrency 1.5'],
    [{ prefetch: 65_536 }, 'got: prefetch 65536, concurrency 10'],
    [{ concurrency: 70_000 }, 'got: prefetch 70000, concurrency 70000'],
    [{ prefetch: Number.NaN }, 'got: prefetch NaN, concurrency NaN'],
    [{ prefetch: Infinity }, 'got: prefetch Infinity, concurrency 10'],
    [{ prefetch: -3, concurrency: -5 }, 'got: prefetch -3, concurrency -5'],
  ])('by %j are refused', (change, reason) => {
    expect(() => resized(NOW, change, 1)).toThrow(ConfigurationError);
    expect(() => resized(NOW, change, 1)).toThrow(reason);
  });

  it('are refused when a batch would never be full', () => {
    expect(() => resized(NOW, { prefetch: 7 }, 8)).toThrow('a prefetch of 7 never fills a batch of 8');
    expect(resized(NOW, { prefetch: 8 }, 8)).toEqual({ prefetch: 8, concurrency: 8 });
  });

  it('are always valid, keep what was asked for, and change nothing else without need', () => {
    const number = fc.oneof(
      fc.integer({ min: -2, max: 70_000 }),
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom(0, 0.5, Number.NaN, 65_535, 65_536),
    );
    const change = fc.record({ prefetch: number, concurrency: number }, { requiredKeys: [] });
    const valid = fc
      .tuple(fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 1, max: 65_535 }))
      .map(([a, b]) => ({ prefetch: Math.max(a, b), concurrency: Math.min(a, b) }));
    fc.assert(
      fc.property(valid, change, fc.integer({ min: 1, max: 20 }), (now, wanted, size) => {
        const batchSize = Math.min(size, now.prefetch);
        const bounds = resultOf(() => resized(now, wanted, batchSize));
        const problem = bounds
          ? problemOf(now, wanted, bounds, batchSize)
          : problemOfRefusal(wanted, batchSize);
        expect(problem).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});

describe('the prefetch of the due queue', () => {
  it.each([
    [1, 1, 1],
    [4, 1, 1],
    [5, 1, 2],
    [40, 1, 10],
    [10, 8, 8],
    [40, 8, 10],
  ])('for a concurrency of %d and batches of %d is %d', (concurrency, batchSize, prefetch) => {
    expect(duePrefetch({ concurrency, prefetch: 100 }, batchSize)).toBe(prefetch);
  });
});

/** What is wrong with what a resize led to. */
function problemOf(
  now: ConsumerBounds,
  wanted: Partial<ConsumerBounds>,
  bounds: ConsumerBounds,
  batchSize: number,
): string | undefined {
  const { prefetch, concurrency } = bounds;
  if (prefetch !== (wanted.prefetch ?? prefetch) || concurrency !== (wanted.concurrency ?? concurrency)) {
    return 'it is not what was asked for';
  }
  if (wanted.prefetch === undefined && prefetch !== Math.max(now.prefetch, concurrency)) {
    return 'the prefetch changed without need';
  }
  if (wanted.concurrency === undefined && concurrency !== Math.min(now.concurrency, prefetch)) {
    return 'the concurrency changed without need';
  }
  const due = duePrefetch(bounds, batchSize);
  return boundsProblem(bounds, batchSize) ?? boundsProblem({ prefetch: due, concurrency: 1 }, batchSize);
}

/** A refusal is right when what was asked for cannot be had, whatever the other one would be. */
function problemOfRefusal(wanted: Partial<ConsumerBounds>, batchSize: number): string | undefined {
  const { prefetch = 65_535, concurrency = 1 } = wanted;
  return boundsProblem({ prefetch, concurrency }, batchSize) ? undefined : 'it was refused without need';
}

function resultOf<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof ConfigurationError) return undefined;
    throw error;
  }
}
