import { describe, expect, it } from '@jest/globals';
import { waitStepsOf } from '@spillway/qos';
import fc from 'fast-check';
import { DropWork } from '../errors/drop-work.error.js';
import { PermanentFailure } from '../errors/permanent-failure.error.js';
import { RetryLater } from '../errors/retry-later.error.js';
import type { Outcome } from './outcome.js';
import { InvalidPayload } from './payload-validator.js';
import { type FailedAttempt, verdictOn } from './verdict.js';

const NOW_MS = 1_700_000_000_000;
const QOS = { maxAttempts: 3, backoff: { initialMs: 1_000, maxMs: 30_000, multiplier: 2 } };
const ERROR = new Error('no database');
const LATER = new RetryLater(1_500, 'the bank is closed');
const DROP = new DropWork('cancelled');
const PERMANENT = new PermanentFailure('no such customer');
const INVALID = new InvalidPayload(['id must be a string'], 'orders');

function verdict(
  failed: Partial<FailedAttempt> = {},
  { qos = QOS, random = 0 }: { qos?: typeof QOS; random?: number } = {},
): Outcome {
  const attempt = {
    error: ERROR,
    attempts: 1,
    deadlineMs: Number.POSITIVE_INFINITY,
    isAbandoned: false,
    ...failed,
  };
  return verdictOn(attempt, qos, NOW_MS, random);
}

describe('the verdict on work', () => {
  it.each<[string, Partial<FailedAttempt>, Outcome]>([
    ['an error', { error: ERROR }, { kind: 'retry', attempts: 1, delayMs: 1_000, error: ERROR }],
    [
      'an error of the second attempt',
      { attempts: 2 },
      { kind: 'retry', attempts: 2, delayMs: 2_000, error: ERROR },
    ],
    [
      'an error of the last attempt',
      { attempts: 3 },
      { kind: 'dead', reason: 'failed', attempts: 3, error: ERROR },
    ],
    [
      'an error of an attempt past the last',
      { attempts: 4 },
      { kind: 'dead', reason: 'failed', attempts: 4, error: ERROR },
    ],
    [
      'nothing at all',
      { error: undefined },
      { kind: 'retry', attempts: 1, delayMs: 1_000, error: undefined },
    ],
    ['DropWork', { error: DROP }, { kind: 'dropped', attempts: 1, error: DROP }],
    [
      'RetryLater, its wait rounded up to a step',
      { error: LATER },
      { kind: 'defer', attempts: 0, delayMs: 2_000, error: LATER },
    ],
    [
      'PermanentFailure',
      { error: PERMANENT },
      { kind: 'dead', reason: 'permanent', attempts: 1, error: PERMANENT },
    ],
    [
      'an invalid payload',
      { error: INVALID },
      { kind: 'dead', reason: 'invalid', attempts: 1, error: INVALID },
    ],
    ['an error after we aborted it', { isAbandoned: true }, { kind: 'returned', attempts: 0 }],
  ])('after %s', (_what, failed, outcome) => {
    expect(verdict(failed)).toEqual(outcome);
  });

  it.each<[string, unknown, Outcome]>([
    ['an error', ERROR, { kind: 'returned', attempts: 2 }],
    ['RetryLater', LATER, { kind: 'defer', attempts: 2, delayMs: 2_000, error: LATER }],
    ['DropWork', DROP, { kind: 'dropped', attempts: 3, error: DROP }],
    ['PermanentFailure', PERMANENT, { kind: 'dead', reason: 'permanent', attempts: 3, error: PERMANENT }],
    ['an invalid payload', INVALID, { kind: 'dead', reason: 'invalid', attempts: 3, error: INVALID }],
  ])('after %s of the last attempt, after we aborted it', (_what, error, outcome) => {
    expect(verdict({ error, attempts: 3, isAbandoned: true })).toEqual(outcome);
  });

  it('never uses up the attempts of work that asks for a later one', () => {
    expect(verdict({ error: LATER, attempts: 1_000 })).toMatchObject({ kind: 'defer', attempts: 999 });
  });

  it('leaves one attempt when one is all there is', () => {
    const qos = { ...QOS, maxAttempts: 1 };
    expect(verdict({}, { qos })).toMatchObject({ kind: 'dead', reason: 'failed', attempts: 1 });
  });

  it('spreads work that failed together over two waits', () => {
    const qos = { ...QOS, backoff: { ...QOS.backoff, initialMs: 800 } };
    expect(verdict({}, { qos, random: 0 })).toMatchObject({ delayMs: 500 });
    expect(verdict({}, { qos, random: 0.99 })).toMatchObject({ delayMs: 1_000 });
  });

  it('has work wait on steps that its queue has from the start', () => {
    const durationMs = fc.integer({ min: 1, max: 86_400_000 });
    const backoffs = fc
      .record({ initialMs: durationMs, otherMs: durationMs, multiplier: fc.constantFrom(1, 1.5, 2, 10) })
      .map(({ initialMs, otherMs, multiplier }) => ({
        initialMs: Math.min(initialMs, otherMs),
        maxMs: Math.max(initialMs, otherMs),
        multiplier,
      }));
    const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(backoffs, fc.integer({ min: 1, max: 999 }), randoms, (backoff, attempts, random) => {
        const outcome = verdict({ attempts }, { qos: { maxAttempts: 1_000, backoff }, random });
        expect(outcome.kind === 'retry' && waitStepsOf(backoff)).toContain(
          outcome.kind === 'retry' ? outcome.delayMs : undefined,
        );
      }),
    );
  });
});

describe('the verdict on work with a deadline', () => {
  it.each([
    ['an error', ERROR, 1_000],
    ['RetryLater', LATER, 2_000],
  ])(
    'after %s is dead when the next attempt would begin at the deadline or later',
    (_what, error, delayMs) => {
      const dead = { kind: 'dead', reason: 'expired', attempts: 1, error };
      expect(verdict({ error, deadlineMs: NOW_MS + delayMs })).toEqual(dead);
      expect(verdict({ error, deadlineMs: NOW_MS - 1 })).toEqual(dead);
      expect(verdict({ error, deadlineMs: NOW_MS + delayMs + 1 })).toMatchObject({ delayMs });
    },
  );

  it('is expired only when an attempt was left', () => {
    expect(verdict({ attempts: 3, deadlineMs: NOW_MS })).toMatchObject({ kind: 'dead', reason: 'failed' });
  });

  it.each([
    ['DropWork', { error: DROP }, { kind: 'dropped' }],
    ['PermanentFailure', { error: PERMANENT }, { reason: 'permanent' }],
    ['an invalid payload', { error: INVALID }, { reason: 'invalid' }],
    ['an error after we aborted it', { isAbandoned: true }, { kind: 'returned' }],
  ])('after %s is the same after it', (_what, failed, outcome) => {
    expect(verdict({ ...failed, deadlineMs: NOW_MS - 1 })).toMatchObject(outcome);
  });
});

describe('work that fails again and again', () => {
  it('is dead after exactly as many failures as it has attempts, whatever came between that does not count', () => {
    const ends = fc.constantFrom('fails', 'asks for later', 'is abandoned');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(ends), (maxAttempts, story) => {
        const qos = { ...QOS, maxAttempts };
        let failures = 0;
        /** As in the header of the message. */
        let failedAttempts = 0;
        for (const end of [...story, ...Array<'fails'>(maxAttempts).fill('fails')]) {
          if (end === 'fails') failures++;
          const error = end === 'asks for later' ? LATER : ERROR;
          const isAbandoned = end === 'is abandoned';
          const outcome = verdict({ error, isAbandoned, attempts: failedAttempts + 1 }, { qos });
          expect(outcome.attempts).toBe(failures);
          if (outcome.kind === 'dead') break;
          failedAttempts = outcome.attempts;
        }
        expect(failures).toBe(maxAttempts);
      }),
    );
  });
});
