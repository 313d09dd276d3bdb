import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Pass, Passes } from './passes.js';

describe('passes', () => {
  it('let one request at a time come to its publish', () => {
    const passes = new Passes();
    expect(passes.take(0)).toBeDefined();
    expect(passes.take(0)).toBeUndefined();
  });

  it('let twice as many go on after one that did not publish', () => {
    const passes = new Passes();
    passes.take(0)?.end();
    expect([passes.take(1), passes.take(1), passes.take(1)].map((pass) => pass !== undefined)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('count a pass that ends twice once', () => {
    const passes = new Passes();
    const pass = passes.take(0);
    pass?.end();
    pass?.end();
    expect([passes.take(1), passes.take(1), passes.take(1)].filter(Boolean)).toHaveLength(2);
  });

  it('start again at one when a request came to its publish', () => {
    const passes = new Passes();
    passes.take(0)?.end();
    passes.take(1);
    passes.probed();
    expect(passes.take(2)).toBeDefined();
    expect(passes.take(2)).toBeUndefined();
  });

  it('take a pass from a request that is too slow', () => {
    const passes = new Passes();
    passes.take(0);
    expect(passes.take(999)).toBeUndefined();
    expect([passes.take(1_000), passes.take(1_000), passes.take(1_000)].filter(Boolean)).toHaveLength(2);
  });

  it('cannot be kept from a good request by any number of bad ones that come with it', () => {
    const badPerTick = fc.integer({ min: 1, max: 2_000 });
    /** How long a bad request holds its pass: an anonymous one a moment, a slow one as long as it likes. */
    const heldMs = fc.constantFrom(1, 5, 900, 100_000);
    fc.assert(
      fc.property(badPerTick, heldMs, (bad, held) => {
        const passes = new Passes();
        expect(firstGoodPassAt(passes, bad, held)).toBeLessThan(15_000);
      }),
      { numRuns: 50 },
    );
  });
});

/** When a good request, always the last of those that come every 10 ms, gets its pass. */
function firstGoodPassAt(passes: Passes, bad: number, heldMs: number): number {
  const out: Array<{ pass: Pass; until: number }> = [];
  for (let now = 0; now < 15_000; now += 10) {
    while (out[0] && out[0].until <= now) out.shift()?.pass.end();
    for (let count = 0; count < bad; count++) {
      const pass = passes.take(now);
      if (pass) out.push({ pass, until: now + heldMs });
    }
    if (passes.take(now)) return now;
  }
  return Number.POSITIVE_INFINITY;
}
