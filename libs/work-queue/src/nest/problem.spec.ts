import { describe, expect, it } from '@jest/globals';
import { toNotice, toError } from '../errors/refusal.js';
import { WorkFailedError } from '../errors/work-failed.error.js';
import type { RefusalReason } from '../errors/work-queue.error.js';
import { failedProblem, refusedProblem, retryAfterSeconds } from './problem.js';

const REFUSAL = { queue: 'jobs', messageId: 'id-1', because: '5 ready', retryAfterMs: 1_200 };

describe('the answer to a refused publish', () => {
  it.each<[RefusalReason, number]>([
    ['queue-full', 503],
    ['no-workers', 503],
    ['gateway-busy', 503],
    ['broker-unavailable', 503],
    ['broker-alarm', 503],
    ['unknown', 503],
    ['unroutable', 500],
    ['invalid-message', 500],
    ['too-large', 413],
    ['conflict', 422],
  ])('%s has status %i', (reason, status) => {
    const answer = refusedProblem(toNotice({ ...REFUSAL, reason }));
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ type: `urn:spillway:problem:${reason}`, status, reason });
  });

  it('has every field and the whole seconds to wait', () => {
    const { headers, body } = refusedProblem(toNotice({ ...REFUSAL, reason: 'queue-full' }));
    expect(headers).toEqual({
      'content-type': 'application/problem+json; charset=utf-8',
      'retry-after': '2',
    });
    expect(JSON.parse(body)).toEqual({
      type: 'urn:spillway:problem:queue-full',
      title: 'The queue is full',
      status: 503,
      detail: 'queue jobs is full (5 ready); try again later',
      reason: 'queue-full',
      code: 'WQ_QUEUE_FULL',
      queue: 'jobs',
      id: 'id-1',
      retryAfterMs: 1_200,
    });
  });

  it('says nothing of coming back when that does not help', () => {
    const { headers, body } = refusedProblem(
      toNotice({ ...REFUSAL, reason: 'conflict', retryAfterMs: undefined }),
    );
    expect(headers).not.toHaveProperty('retry-after');
    expect(JSON.parse(body)).not.toHaveProperty('retryAfterMs');
  });

  it('is the same for the error and for the notice', () => {
    const refusal = { ...REFUSAL, reason: 'no-workers' } as const;
    expect(refusedProblem(toError(refusal))).toEqual(refusedProblem(toNotice(refusal)));
  });
});

describe('the answer to a caller whose work failed', () => {
  it.each([
    ['invalid', 422],
    ['undecodable', 422],
    ['failed', 500],
    ['permanent', 500],
    ['expired', 500],
  ])('has, when it was dead-lettered as %s, status %i', (deadReason, status) => {
    const error = new WorkFailedError('work id-1 was dead-lettered', {
      queue: 'jobs',
      messageId: 'id-1',
      deadReason,
    });
    const answer = failedProblem(error);
    expect(answer).toMatchObject({
      status,
      headers: { 'content-type': 'application/problem+json; charset=utf-8' },
    });
    expect(JSON.parse(answer.body)).toMatchObject({
      status,
      detail: 'work id-1 was dead-lettered',
      reason: 'work-failed',
      code: 'WQ_WORK_FAILED',
      queue: 'jobs',
      id: 'id-1',
      deadReason,
    });
  });
});

it('a wait of a moment is a whole second', () => {
  expect([0, 1, 1_000, 1_001].map(retryAfterSeconds)).toEqual([1, 1, 1, 2]);
});
