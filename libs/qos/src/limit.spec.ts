import { describe, expect, it } from '@jest/globals';
import { excess, isFull, reopenLength } from './limit.js';

describe('reopenLength', () => {
  it('is 80 % of the limit on a quorum queue, rounded down', () => {
    expect([10, 11, 15, 116, 1].map((maxLength) => reopenLength(maxLength, 'quorum'))).toEqual([
      8, 8, 12, 92, 0,
    ]);
  });

  it('is one free place on a classic queue', () => {
    expect(reopenLength(10, 'classic')).toBe(9);
  });
});

describe('excess', () => {
  it('is what has to go before the queue accepts again', () => {
    expect(excess({ type: 'quorum', ready: 11, maxLength: 10 })).toBe(3);
    expect(excess({ type: 'classic', ready: 10, maxLength: 10 })).toBe(1);
    expect(excess({ type: 'classic', ready: 3, maxLength: 10 })).toBe(0);
  });
});

describe('isFull', () => {
  it.each([
    ['classic', 9, false],
    ['classic', 10, true],
    ['quorum', 8, false],
    ['quorum', 9, true],
  ] as const)('%s with %d of 10 ready: %s', (type, ready, full) => {
    expect(isFull({ type, ready, maxLength: 10 })).toBe(full);
  });

  it.each([
    ['classic', 6, false],
    ['classic', 7, true],
    ['quorum', 5, false],
    ['quorum', 6, true],
  ] as const)('%s with %d of 10 ready after up to 3 were drained: %s', (type, ready, full) => {
    expect(isFull({ type, ready, maxLength: 10, drainedAtMost: 3 })).toBe(full);
  });

  it('cannot be ruled out when any number may have been drained', () => {
    expect(isFull({ type: 'quorum', ready: 0, maxLength: 10, drainedAtMost: Infinity })).toBe(true);
  });
});
