import { describe, expect, it } from '@jest/globals';
import { medianRatio, rotated, spreadOf } from './rounds.js';

describe('the spread', () => {
  it.each([
    [[3, 1, 2], { median: 2, min: 1, max: 3 }],
    [[10, 1, 9, 2], { median: 5.5, min: 1, max: 10 }],
    [[7], { median: 7, min: 7, max: 7 }],
  ])('of %j has the middle one as its median', (values, spread) => {
    expect(spreadOf(values)).toEqual(spread);
  });

  it('of nothing is undefined', () => {
    expect(spreadOf([])).toBeUndefined();
  });
});

describe('the ratio of two', () => {
  const rounds = (...values: number[]) => values.map((value, round) => ({ round, value }));

  it('is taken within each round, so that a slow moment of the machine does not count', () => {
    const [ours, theirs] = [rounds(200, 20, 210), rounds(100, 10, 70)];
    expect(medianRatio(ours, theirs)).toBe(2);
  });

  it('leaves out a round that only one of them has', () => {
    expect(medianRatio(rounds(200, 400), rounds(100))).toBe(2);
    expect(medianRatio(rounds(200), [])).toBeUndefined();
  });
});

it('everybody is first once in as many rounds as there are candidates', () => {
  const order = [0, 1, 2, 3].map((turn) => rotated(['a', 'b', 'c'], turn).join(''));
  expect(order).toEqual(['abc', 'bca', 'cab', 'abc']);
});
