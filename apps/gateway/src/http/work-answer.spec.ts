import { describe, expect, it } from '@jest/globals';
import type { RequestOutcome } from '@spillway/work-queue';
import { requestAnswer, storedAnswer } from './work-answer.js';

const RECEIPT = { id: 'id-1', queue: 'jobs', mayBeDropped: false };
const LOCATION = '/jobs/1';
const JSON_TYPE = 'application/json; charset=utf-8';

const done = (result: unknown): RequestOutcome => ({ receipt: RECEIPT, isDone: true, result });

describe('work that nobody waited for', () => {
  const stored = { location: LOCATION, preference: { waitMs: undefined, respondAsync: false } };

  it('is answered with its receipt and where to ask', () => {
    expect(storedAnswer(RECEIPT, stored)).toEqual({
      status: 202,
      headers: { 'content-type': JSON_TYPE, location: LOCATION },
      body: '{"id":"id-1","queue":"jobs"}',
    });
  });

  it('says when it may be dropped', () => {
    const { body } = storedAnswer({ ...RECEIPT, mayBeDropped: true }, stored);
    expect(body).toBe('{"id":"id-1","queue":"jobs","mayBeDropped":true}');
  });

  it('names respond-async as honoured when it was asked for', () => {
    const asked = { ...stored, preference: { waitMs: undefined, respondAsync: true } };
    expect(storedAnswer(RECEIPT, asked).headers).toMatchObject({ 'preference-applied': 'respond-async' });
  });
});

describe('work that somebody waited for', () => {
  const stored = { location: LOCATION, preference: { waitMs: 5_000, respondAsync: false } };

  it.each([
    ['an object', { a: 1 }, '{"a":1}'],
    ['a text', 'text', '"text"'],
    ['false', false, 'false'],
    ['nothing', undefined, '{"id":"id-1","queue":"jobs"}'],
  ])('is, when done with %s, answered with that as JSON', (_kind, result, body) => {
    expect(requestAnswer(done(result), stored)).toEqual({
      status: 200,
      headers: { 'content-type': JSON_TYPE, 'preference-applied': 'wait=5' },
      body,
    });
  });

  it('is, when done with bytes, answered with the bytes', () => {
    const { headers, body } = requestAnswer(done(new Uint8Array([0, 255])), stored);
    expect(headers).toMatchObject({ 'content-type': 'application/octet-stream' });
    expect(body).toEqual(Buffer.from([0, 255]));
  });

  it.each([
    ['time-is-up', 'wait=5'],
    ['reply-lost', 'wait=5'],
    ['caller-gone', 'wait=5'],
    ['too-many-waiting', undefined],
  ] as const)('is, when %s, answered with 202 and the preferences that were honoured', (because, applied) => {
    const answer = requestAnswer({ receipt: RECEIPT, isDone: false, because }, stored);
    expect(answer).toMatchObject({ status: 202, headers: { location: LOCATION } });
    expect(answer.headers['preference-applied']).toBe(applied);
  });

  it('names both preferences when both were honoured', () => {
    const asked = { ...stored, preference: { waitMs: 5_000, respondAsync: true } };
    const answer = requestAnswer({ receipt: RECEIPT, isDone: false, because: 'time-is-up' }, asked);
    expect(answer.headers['preference-applied']).toBe('wait=5, respond-async');
  });
});
