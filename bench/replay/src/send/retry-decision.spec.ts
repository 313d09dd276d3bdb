import { describe, expect, test } from '@jest/globals';

import type { AttemptOutcome } from './attempt-outcome.js';
import { foldStanding } from './delivery.js';
import { decideRetry } from './retry-decision.js';

const full: AttemptOutcome = {
  kind: 'rejected',
  reason: 'queue-full',
  isShed: true,
  isRetriable: true,
  retryAfterMs: 400,
};
const unauthorized: AttemptOutcome = {
  kind: 'rejected',
  reason: 'http-401',
  isShed: false,
  isRetriable: false,
};
const timeout: AttemptOutcome = { kind: 'unknown', reason: 'timeout' };
const accepted: AttemptOutcome = { kind: 'accepted' };

describe('retry decision', () => {
  const question = {
    outcome: full,
    attempts: 1,
    policy: { kind: 'retry-after', maxRetries: 2 },
    nowMs: 1_000,
    retryUntilMs: 2_000,
  } as const;

  test.each([
    ['when the gateway says', {}, { kind: 'retry', atMs: 1_400 }],
    ['a second later when nobody says', { outcome: timeout }, { kind: 'retry', atMs: 2_000 }],
    ['at the last allowed moment', { retryUntilMs: 1_400 }, { kind: 'retry', atMs: 1_400 }],
    ['not later', { retryUntilMs: 1_399 }, { kind: 'end', reason: 'too-late' }],
    ['as the last retry', { attempts: 2 }, { kind: 'retry', atMs: 1_400 }],
    ['not once more than that', { attempts: 3 }, { kind: 'end', reason: 'retries-used-up' }],
    ['not after 202', { outcome: accepted }, { kind: 'end', reason: 'accepted' }],
    ['not after a refusal for good', { outcome: unauthorized }, { kind: 'end', reason: 'not-retriable' }],
    ['not without --retry', { policy: { kind: 'never' } }, { kind: 'end', reason: 'retries-off' }],
  ] as const)('it goes out again: %s', (_title, change, decision) => {
    expect(decideRetry({ ...question, ...change })).toEqual(decision);
  });
});

describe('standing of a delivery over its attempts', () => {
  test.each([
    [[full, accepted], 'accepted'],
    [[timeout, accepted], 'accepted'],
    [[timeout, full], 'unknown'],
    [[full, timeout], 'unknown'],
    [[full, full], 'rejected'],
  ] as const)('%j ends %#', (outcomes, kind) => {
    let standing = foldStanding(undefined, outcomes[0]);
    standing = foldStanding(standing, outcomes[1]);
    expect(standing.kind).toBe(kind);
  });
});
