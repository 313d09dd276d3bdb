import { describe, expect, it } from '@jest/globals';
import { BrokerBlockedError } from './broker-blocked.error.js';
import { BrokerUnavailableError } from './broker-unavailable.error.js';
import { ConfirmLostError } from './confirm-lost.error.js';
import { ConfirmTimeoutError } from './confirm-timeout.error.js';
import { IdempotencyConflictError } from './idempotency-conflict.error.js';
import { InvalidMessageError } from './invalid-message.error.js';
import { MessageTooLargeError } from './message-too-large.error.js';
import { NoWorkersError } from './no-workers.error.js';
import { PublisherBusyError } from './publisher-busy.error.js';
import { QueueFullError } from './queue-full.error.js';
import { type Refusal, toError, toNotice } from './refusal.js';
import { UnroutableError } from './unroutable.error.js';

const REFUSAL = { queue: 'orders', messageId: 'id-1', because: '9 ready, limit 8', retryAfterMs: 1_000 };

const CLASSES: ReadonlyArray<readonly [Refusal['reason'], unknown]> = [
  ['queue-full', QueueFullError],
  ['no-workers', NoWorkersError],
  ['gateway-busy', PublisherBusyError],
  ['broker-unavailable', BrokerUnavailableError],
  ['broker-alarm', BrokerBlockedError],
  ['unroutable', UnroutableError],
  ['too-large', MessageTooLargeError],
  ['invalid-message', InvalidMessageError],
  ['conflict', IdempotencyConflictError],
  ['unknown', ConfirmLostError],
];

describe('the error of a refusal', () => {
  it.each(CLASSES)('for %s has its own class and carries what is known', (reason, type) => {
    const error = toError({ ...REFUSAL, reason });
    expect(error.constructor).toBe(type);
    expect(error).toMatchObject({ reason, queue: 'orders', messageId: 'id-1', retryAfterMs: 1_000 });
    expect(error.message).toContain('orders');
  });

  it('for an unknown outcome tells silence from a lost answer', () => {
    expect(toError({ ...REFUSAL, reason: 'unknown', wasSilent: true })).toBeInstanceOf(ConfirmTimeoutError);
  });

  it('keeps the cause, and has none when there was none', () => {
    const cause = new TypeError('bigint');
    expect(toError({ ...REFUSAL, reason: 'invalid-message', cause }).cause).toBe(cause);
    expect(toError({ ...REFUSAL, reason: 'invalid-message' })).not.toHaveProperty('cause');
  });

  it.each<[Refusal['reason'], string]>([
    ['queue-full', 'queue orders is full (9 ready, limit 8); try again later'],
    ['no-workers', 'queue orders is full and nobody works on it (9 ready, limit 8); try again later'],
    [
      'conflict',
      'message id id-1 was used for queue orders with another payload; give other work another id',
    ],
    [
      'unknown',
      'message id-1 for queue orders may be stored or not (9 ready, limit 8); send it again with the same id only',
    ],
  ])('for %s says what happened and what to do next', (reason, message) => {
    expect(toError({ ...REFUSAL, reason }).message).toBe(message);
  });
});

describe('the notice of a refusal', () => {
  it.each(CLASSES)('for %s says the same as the error', (reason) => {
    const { code, message } = toError({ ...REFUSAL, reason });
    const { queue, messageId, retryAfterMs } = REFUSAL;
    expect(toNotice({ ...REFUSAL, reason })).toEqual({
      reason,
      code,
      message,
      queue,
      messageId,
      retryAfterMs,
    });
  });
});
