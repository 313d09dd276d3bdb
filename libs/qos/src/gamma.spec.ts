import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gammaQuantile, regularizedGammaP } from './gamma.js';

describe('gammaQuantile', () => {
  it('is the mean when nothing varies', () => {
    expect(gammaQuantile({ mean: 50, cv: 0, p: 0.99 })).toBe(50);
  });

  it('is the quantile of the exponential distribution for cv 1', () => {
    expect(gammaQuantile({ mean: 50, cv: 1, p: 0.99 })).toBeCloseTo(-Math.log(0.01) * 50, 8);
    expect(gammaQuantile({ mean: 50, cv: 1, p: 0.5 })).toBeCloseTo(Math.LN2 * 50, 8);
  });

  // Computed with scipy 1.x: gamma.ppf(p, 1/cv**2, scale=50*cv**2).
  it.each([
    [0.1, 0.01, 39.10799152689791],
    [0.1, 0.99, 62.36128074536041],
    [0.25, 0.5, 48.96227982599138],
    [0.5, 0.95, 96.92070659915906],
    [0.5, 0.99, 125.56396893539521],
    [0.8, 0.99, 185.5215984625721],
    [1.5, 0.01, 0.0027076237083636743],
    [2, 0.5, 8.734760470574681],
    [2, 0.99, 486.7770844394062],
    [3, 0.99, 753.0196918578031],
    [5, 0.99, 1181.6184887228517],
  ])('agrees with an independent implementation for mean 50, cv %d, p %d', (cv, p, expected) => {
    expect(gammaQuantile({ mean: 50, cv, p }) / expected).toBeCloseTo(1, 9);
  });

  it('goes on without a step where the smallest cv is handled apart', () => {
    const below = gammaQuantile({ mean: 50, cv: 0.0009999, p: 0.99 });
    const above = gammaQuantile({ mean: 50, cv: 0.0010001, p: 0.99 });
    expect(above).toBeGreaterThan(below);
    expect(above - below).toBeLessThan(0.0001);
  });

  it('is inverted by the distribution function', () => {
    const cvs = fc.integer({ min: 5, max: 500 }).map((percent) => percent / 100);
    const ps = fc.integer({ min: 1, max: 999 }).map((perMille) => perMille / 1_000);
    fc.assert(
      fc.property(cvs, ps, (cv, p) => {
        const shape = 1 / cv ** 2;
        const quantile = gammaQuantile({ mean: shape, cv, p });
        expect(regularizedGammaP(shape, quantile)).toBeCloseTo(p, 9);
      }),
    );
  });
});
