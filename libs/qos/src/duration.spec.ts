import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatDuration, parseDuration } from './duration.js';

describe('parseDuration', () => {
  it.each([
    ['250ms', 250],
    ['2s', 2_000],
    ['1.5s', 1_500],
    ['1.005s', 1_005],
    ['0.5ms', 0.5],
    ['1m', 60_000],
    ['1h', 3_600_000],
    ['0s', 0],
  ])('reads %s as %d ms', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  it.each([
    [20],
    ['20'],
    ['2 s'],
    ['-2s'],
    ['2S'],
    ['1e3ms'],
    ['.5s'],
    ['2s '],
    ['s'],
    [''],
    [null],
    [undefined],
    [{}],
  ])('refuses %p', (input) => {
    expect(parseDuration(input)).toBeUndefined();
  });

  it('refuses a number too large to be held', () => {
    expect(parseDuration(`${'9'.repeat(400)}s`)).toBeUndefined();
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0ms'],
    [0.5, '0.5ms'],
    [250, '250ms'],
    [1_500, '1500ms'],
    [2_000, '2s'],
    [90_000, '90s'],
    [60_000, '1m'],
    [86_400_000, '24h'],
  ])('writes %d ms as %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });

  it('writes what parseDuration reads back unchanged, down to the microsecond', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10 ** 12 }), (microseconds) => {
        const durationMs = microseconds / 1_000;
        expect(parseDuration(formatDuration(durationMs))).toBe(durationMs);
      }),
    );
  });
});
