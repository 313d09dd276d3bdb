import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Breaker } from './breaker.js';

describe('a breaker', () => {
  it('opens when that many different messages have failed one after another', () => {
    const breaker = new Breaker(3);
    fail(breaker, ['a', 'b']);
    expect(breaker.isOpen).toBe(false);
    fail(breaker, ['c']);
    expect(breaker.isOpen).toBe(true);
  });

  it('is never opened by one poison message alone', () => {
    const breaker = new Breaker(2);
    fail(breaker, Array<string>(1_000).fill('poison'));
    expect(breaker.isOpen).toBe(false);
  });

  it('counts from the start after a success', () => {
    const breaker = new Breaker(3);
    fail(breaker, ['a', 'b']);
    breaker.succeeded();
    fail(breaker, ['c', 'd']);
    expect(breaker.isOpen).toBe(false);
  });

  it('closes at the first success, and needs as many failures to open again', () => {
    const breaker = new Breaker(2);
    fail(breaker, ['a', 'b', 'c']);
    breaker.succeeded();
    expect(breaker.isOpen).toBe(false);
    fail(breaker, ['c']);
    expect(breaker.isOpen).toBe(false);
    fail(breaker, ['d']);
    expect(breaker.isOpen).toBe(true);
  });

  it('waits twice as long after each failed trial, up to 5 s', () => {
    const breaker = new Breaker(1);
    const delays = ['a', 'b', 'a', 'a', 'b', 'c', 'd', 'e'].map((id) => {
      breaker.failed(id);
      return breaker.trialDelayMs;
    });
    expect(delays).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  });

  it('tries soon again when it opens after a success', () => {
    const breaker = new Breaker(1);
    fail(breaker, ['a', 'b', 'c']);
    breaker.succeeded();
    fail(breaker, ['d']);
    expect(breaker.trialDelayMs).toBe(200);
  });

  it('never opens with a bound of 0', () => {
    const breaker = new Breaker(0);
    fail(breaker, ['a', 'b', 'c', 'd']);
    expect(breaker.isOpen).toBe(false);
  });

  it('is open if and only if that many different messages have failed since the last success', () => {
    const event = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'e') },
      { weight: 1, arbitrary: fc.constant('success' as const) },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(event), (breakAfter, events) => {
        const breaker = new Breaker(breakAfter);
        for (const [index, happened] of events.entries()) {
          if (happened === 'success') breaker.succeeded();
          else breaker.failed(happened);
          const past = events.slice(0, index + 1);
          const failedIds = new Set(past.slice(past.lastIndexOf('success') + 1));
          expect(breaker.isOpen).toBe(failedIds.size >= breakAfter);
        }
      }),
    );
  });
});

function fail(breaker: Breaker, messageIds: readonly string[]): void {
  for (const id of messageIds) breaker.failed(id);
}
