import { describe, expect, test } from '@jest/globals';

import { parseDurationMs, parseInteger, parseRatePerSec } from './quantity.parser.js';

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['1.5m', 90_000],
  ])('%s is %d ms', (given, durationMs) => {
    expect(parseDurationMs({ field: '--duration', given }, { minMs: 1 })).toEqual({
      ok: true,
      value: durationMs,
    });
  });

  test.each(['10', '', '-1s', '10 s', '1h', '0s', '61m', 's'])('"%s" is refused', (given) => {
    expect(parseDurationMs({ field: '--duration', given }, { minMs: 1 })).toMatchObject({ ok: false });
  });

  test('a refusal names the field, what was expected and what was given', () => {
    expect(parseDurationMs({ field: '--duration', given: '10' }, { minMs: 1 })).toEqual({
      ok: false,
      problem:
        '--duration: expected a duration from 1ms to 60m with its unit, such as 500ms, 10s or 1m, given "10"',
    });
  });
});

describe('rates', () => {
  test.each([
    ['200', 200],
    ['200/s', 200],
    ['0.5', 0.5],
  ])('%s is %d per second', (given, ratePerSec) => {
    expect(parseRatePerSec({ field: '--rate', given })).toEqual({ ok: true, value: ratePerSec });
  });

  test.each(['banana', '-1', '0', '', 'Infinity', '1e3', '200/m', '100001'])('"%s" is refused', (given) => {
    expect(parseRatePerSec({ field: '--rate', given })).toMatchObject({ ok: false });
  });
});

describe('whole numbers', () => {
  test('the bounds belong to the range', () => {
    const parse = (given: string) => parseInteger({ field: '--connections', given }, { min: 1, max: 4 }).ok;
    expect(['0', '1', '4', '5', '2.5', ''].map(parse)).toEqual([false, true, true, false, false, false]);
  });
});
