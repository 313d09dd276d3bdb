import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { incoming } from '../../../../test/support/fake-broker.js';
import { describeDeadLetter, errorClassOf } from './dead-letter.js';

const DEATHS = [
  { reason: 'maxlen', queue: 'prices', count: 2, time: { '!': 'timestamp', value: 1_700_000_000 } },
  { reason: 'expired', queue: 'earlier', count: 1 },
];

describe('a dead letter', () => {
  it('of ours is told by its headers', () => {
    const headers = {
      'x-dead-reason': 'failed',
      'x-dead-queue': 'orders',
      'x-dead-error': 'TypeError: no such customer: 7',
      'x-dead-attempts': 5,
      'x-dead-at': 1_700_000_000_000,
      mine: 'stays',
    };
    const message = incoming({ messageId: 'order-1', headers, body: Buffer.from('7') });
    expect(describeDeadLetter(message, 'another')).toEqual({
      id: 'order-1',
      queue: 'orders',
      reason: 'failed',
      errorClass: 'TypeError',
      error: 'TypeError: no such customer: 7',
      attempts: 5,
      failedAt: new Date(1_700_000_000_000),
      body: Buffer.from('7'),
      contentType: 'application/json',
      headers,
    });
  });

  it("of the broker's is told by the last death it recorded", () => {
    const message = incoming({ messageId: undefined, headers: { 'x-death': DEATHS } });
    expect(describeDeadLetter(message, 'orders')).toMatchObject({
      id: undefined,
      queue: 'prices',
      reason: 'maxlen',
      errorClass: 'broker:maxlen',
      error: undefined,
      attempts: undefined,
      failedAt: new Date(1_700_000_000_000),
    });
  });

  it.each([
    [
      'the class of its error',
      { 'x-dead-reason': 'failed', 'x-dead-error': 'QueryFailed: x' },
      'QueryFailed',
    ],
    ['a class without a message', { 'x-dead-reason': 'failed', 'x-dead-error': 'Oops: ' }, 'Oops'],
    ['a class in a namespace', { 'x-dead-error': 'http.Timeout: late' }, 'http.Timeout'],
    ['its reason for a thrown text', { 'x-dead-reason': 'failed', 'x-dead-error': 'no' }, 'failed'],
    [
      'its reason for a text with a colon',
      { 'x-dead-reason': 'failed', 'x-dead-error': 'at 9:15' },
      'failed',
    ],
    ['its reason without an error', { 'x-dead-reason': 'expired' }, 'expired'],
    ['what we say, rather than the broker', { 'x-dead-reason': 'failed', 'x-death': DEATHS }, 'failed'],
    ['what the broker says', { 'x-death': DEATHS }, 'broker:maxlen'],
    ['unknown when nobody says', {}, 'unknown'],
    ['unknown when it is nonsense', { 'x-dead-reason': 5, 'x-death': [7], 'x-dead-error': null }, 'unknown'],
  ])('belongs to %s', (_what, headers, errorClass) => {
    expect(errorClassOf(headers)).toBe(errorClass);
  });

  it('belongs to exactly one class, of bounded length, whatever its headers are', () => {
    const names = fc.constantFrom('x-dead-reason', 'x-dead-error', 'x-dead-at', 'x-dead-attempts', 'x-death');
    fc.assert(
      fc.property(fc.dictionary(names, fc.anything()), (headers) => {
        const message = incoming({ headers });
        const { errorClass, failedAt, attempts } = describeDeadLetter(message, 'orders');
        expect(errorClass).toBe(errorClassOf(headers));
        expect(errorClass).not.toBe('');
        expect(failedAt === undefined || !Number.isNaN(failedAt.getTime())).toBe(true);
        expect(attempts === undefined || typeof attempts === 'number').toBe(true);
      }),
    );
  });

  it('has no class of more than 100 characters from its error', () => {
    const headers = { 'x-dead-reason': 'failed', 'x-dead-error': `${'E'.repeat(101)}: x` };
    expect(errorClassOf(headers)).toBe('failed');
  });
});
