import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { countIn, HEADERS } from './headers.js';

describe('our headers', () => {
  it('have names that stay as they are: operators and other languages read them', () => {
    expect(HEADERS).toEqual({
      publishedAt: 'x-sent',
      deadline: 'x-deadline',
      replyFailed: 'x-reply-failed',
      pattern: 'x-pattern',
      attempts: 'x-attempts',
      firstError: 'x-first-error',
      lastError: 'x-last-error',
      starts: 'x-starts',
      deadPrefix: 'x-dead-',
      deadReason: 'x-dead-reason',
      deadQueue: 'x-dead-queue',
      deadError: 'x-dead-error',
      deadAttempts: 'x-dead-attempts',
      deadAt: 'x-dead-at',
    });
  });
});

describe('a count in a header', () => {
  it.each([1, 7, Number.MAX_SAFE_INTEGER])('of %p is that', (count) => {
    expect(countIn({ 'x-attempts': count }, 'x-attempts')).toBe(count);
  });

  it.each([undefined, null, 0, -1, 1.5, Number.NaN, Infinity, 2 ** 53, '2', true, [2], { value: 2 }, 2n])(
    'that is %p counts as none',
    (value) => {
      expect(countIn({ 'x-attempts': value }, 'x-attempts')).toBe(0);
    },
  );

  it('is none when there is no such header', () => {
    expect(countIn({ 'x-starts': 2 }, 'x-attempts')).toBe(0);
  });

  it('is a whole number from 0 on, whatever the header', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const count = countIn({ 'x-attempts': value }, 'x-attempts');
        expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
      }),
    );
  });
});
