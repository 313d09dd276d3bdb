import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatRate, parseRate } from './rate.js';

describe('parseRate', () => {
  it.each([
    ['200/s', 200],
    ['0.5/s', 0.5],
    ['30/m', 0.5],
    ['1000/h', 1_000 / 3_600],
    ['1000000/s', 1_000_000],
    ['60000000/m', 1_000_000],
  ])('reads %s as %d per second', (text, ratePerSec) => {
    expect(parseRate(text)).toBe(ratePerSec);
  });

  it.each([
    [200],
    ['200'],
    ['200 / s'],
    ['200/ms'],
    ['200/S'],
    ['200/d'],
    ['-1/s'],
    ['1e3/s'],
    ['.5/s'],
    ['/s'],
    ['200/s '],
    [''],
    [null],
    [undefined],
    [{}],
  ])('refuses %p', (input) => {
    expect(parseRate(input)).toBeUndefined();
  });

  it.each(['0/s', '0.0/h', `0.${'0'.repeat(400)}1/h`])('refuses %s, which would start nothing', (text) => {
    expect(parseRate(text)).toBeUndefined();
  });

  it.each(['1000001/s', '60000001/m', `${'9'.repeat(400)}/h`])(
    'refuses %s, more than anybody starts',
    (text) => {
      expect(parseRate(text)).toBeUndefined();
    },
  );

  it('says the same of one rate in any unit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (perSecond) => {
        expect(parseRate(`${perSecond}/s`)).toBe(perSecond);
        expect(parseRate(`${perSecond * 60}/m`)).toBe(perSecond);
        expect(parseRate(`${perSecond * 3_600}/h`)).toBe(perSecond);
      }),
    );
  });
});

describe('formatRate', () => {
  it.each([
    [200, '200/s'],
    [2.5, '2.5/s'],
    [0.5, '30/m'],
    [1_000 / 3_600, '1000/h'],
    [1_000_000, '1000000/s'],
    [1 / 7_000, '0.514285714286/h'],
  ])('writes %d per second as %s', (ratePerSec, text) => {
    expect(formatRate(ratePerSec)).toBe(text);
  });

  it('is read back as the rate it was, in whatever unit that was written', () => {
    const amounts = fc.integer({ min: 1, max: 1_000_000 });
    fc.assert(
      fc.property(amounts, fc.constantFrom('s', 'm', 'h'), (amount, unit) => {
        const ratePerSec = parseRate(`${amount}/${unit}`) ?? NaN;
        expect(parseRate(formatRate(ratePerSec))).toBeCloseTo(ratePerSec, 9);
      }),
    );
  });
});
