import { describe, expect, it } from '@jest/globals';
import { isFull, reopenLength } from './limit.js';
import { retryAfterMs, type RetryAfterInput } from './retry-after.js';

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

describe('isFull', () => {
  it.each([
    ['classic', 9, false],
    ['classic', 10, true],
    ['quorum', 8, false],
    ['quorum', 9, true],
  ] as const)('%s with %d of 10 ready: %s', (type, ready, full) => {
    expect(isFull({ type, ready, maxLength: 10 })).toBe(full);
  });
});

describe('retryAfterMs', () => {
  const queue: RetryAfterInput = {
    ready: 1_000,
    maxLength: 1_000,
    type: 'quorum',
    serviceTimeMs: 200,
    concurrencyTotal: 10,
  };

  it('waits until a full quorum queue has drained to 80 %', () => {
    expect(retryAfterMs(queue)).toBe(4_000);
  });

  it('waits for the first free place of a classic queue', () => {
    expect(retryAfterMs({ ...queue, type: 'classic', serviceTimeMs: 15_000 })).toBe(1_500);
  });

  it('is at least a second, also when the queue is open again', () => {
    expect(retryAfterMs({ ...queue, type: 'classic' })).toBe(1_000);
    expect(retryAfterMs({ ...queue, ready: 0 })).toBe(1_000);
  });

  it('is at most a minute', () => {
    expect(retryAfterMs({ ...queue, serviceTimeMs: 3_600_000 })).toBe(60_000);
  });

  it('is a second when nobody has said how long a job takes', () => {
    expect(retryAfterMs({ ...queue, serviceTimeMs: undefined })).toBe(1_000);
  });

  it('is whole milliseconds', () => {
    expect(retryAfterMs({ ...queue, concurrencyTotal: 7 })).toBe(5_715);
  });
});
