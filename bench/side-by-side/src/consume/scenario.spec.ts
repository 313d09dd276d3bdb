import { expect, it } from '@jest/globals';
import { bodyOf, consumeScenariosOf, countsOf } from './scenario.js';

it('every kind of queue is measured at every prefetch', () => {
  const names = consumeScenariosOf(['classic', 'quorum'], [1, 100]).map(({ name }) => name);
  expect(names).toEqual([
    'classic, prefetch 1',
    'classic, prefetch 100',
    'quorum, prefetch 1',
    'quorum, prefetch 100',
  ]);
});

it('a cell gets as many messages as are handled in about the time it is to take', () => {
  const measured = (prefetch: number, seconds: number) =>
    consumeScenariosOf(['classic'], [prefetch]).map((scenario) => countsOf(scenario, seconds).measured);
  expect([1, 9, 10, 100, 499, 500].flatMap((prefetch) => measured(prefetch, 1))).toEqual([
    5_000, 5_000, 15_000, 30_000, 30_000, 40_000,
  ]);
  expect(measured(1, 0.5)).toEqual([2_500]);
});

it('a body has 300 bytes', () => {
  expect(bodyOf()).toHaveLength(300);
});
