import { describe, expect, test } from '@jest/globals';

import { type Answer, classifyAnswer } from './attempt-outcome.js';
import { classifyFailure, RequestTimeoutError } from './failure-outcome.js';

function answer(status: number, problem?: object | string, retryAfterHeader?: string): Answer {
  const body = typeof problem === 'string' ? problem : JSON.stringify(problem ?? {});
  return { status, retryAfterHeader, body, isComplete: true };
}

describe('answers', () => {
  test('202 is accepted', () => {
    expect(classifyAnswer(answer(202))).toEqual({ kind: 'accepted' });
  });

  test.each(['queue-full', 'gateway-busy', 'broker-unavailable', 'broker-alarm'])(
    '503 %s is shed',
    (reason) => {
      expect(classifyAnswer(answer(503, { reason }))).toMatchObject({
        kind: 'rejected',
        reason,
        isShed: true,
        isRetriable: true,
      });
    },
  );

  test('503 with the reason unknown is unknown', () => {
    expect(classifyAnswer(answer(503, { reason: 'unknown' }))).toEqual({
      kind: 'unknown',
      reason: 'unknown-503',
    });
  });

  test('a 503 that broke off may have said unknown', () => {
    const brokenOff = { ...answer(503, '{"reason":"queue-'), isComplete: false };
    expect(classifyAnswer(brokenOff)).toEqual({ kind: 'unknown', reason: 'broken-off-503' });
  });

  test('a 202 that broke off is still accepted', () => {
    expect(classifyAnswer({ ...answer(202), isComplete: false })).toEqual({ kind: 'accepted' });
  });

  test.each([
    [401, {}, 'http-401'],
    [413, 'not json', 'http-413'],
    [422, { reason: 'validation' }, 'http-422 validation'],
    [500, { reason: 'unroutable' }, 'http-500 unroutable'],
  ])('%d is rejected for good, named by status and reason', (status, problem, reason) => {
    expect(classifyAnswer(answer(status, problem))).toEqual({
      kind: 'rejected',
      reason,
      isShed: false,
      isRetriable: false,
    });
  });

  test.each([200, 204, 302])('%d promises nothing, so it is unknown', (status) => {
    expect(classifyAnswer(answer(status))).toEqual({ kind: 'unknown', reason: `http-${status}` });
  });

  test.each([{ reason: 'Two words' }, { reason: 7 }, 'null', '"text"', '[', ''])(
    'a body without a usable reason (%j) leaves the status as the reason',
    (problem) => {
      expect(classifyAnswer(answer(503, problem))).toMatchObject({ kind: 'rejected', reason: 'http-503' });
    },
  );
});

describe('when to come back', () => {
  test.each([
    ['milliseconds of the body before the header', { retryAfterMs: 250 }, '1', 250],
    ['seconds of the header', {}, '2', 2_000],
    ['zero is a time', { retryAfterMs: 0 }, undefined, 0],
    ['a negative time is ignored', { retryAfterMs: -5 }, '3', 3_000],
    ['a date in the header is ignored', {}, 'Wed, 21 Oct 2026 07:28:00 GMT', undefined],
  ])('%s', (_title, problem, header, retryAfterMs) => {
    const outcome = classifyAnswer(answer(503, { reason: 'queue-full', ...problem }, header));
    expect('retryAfterMs' in outcome ? outcome.retryAfterMs : undefined).toBe(retryAfterMs);
  });
});

describe('failures', () => {
  const coded = (code: string) => Object.assign(new Error(code), { code });

  test('a refused connection was never sent, so it is rejected', () => {
    expect(classifyFailure(coded('ECONNREFUSED'))).toMatchObject({
      kind: 'rejected',
      reason: 'connection-refused',
    });
  });

  test.each([
    [new RequestTimeoutError(), 'timeout'],
    [coded('ECONNRESET'), 'connection-reset'],
    [coded('HPE_INVALID_CONSTANT'), 'socket hpe_invalid_constant'],
    [new Error('strange'), 'socket error'],
  ])('after %s nobody knows', (error, reason) => {
    expect(classifyFailure(error)).toEqual({ kind: 'unknown', reason });
  });
});
