import { describe, expect, it } from '@jest/globals';
import { BrokerBlockedError } from '../errors/broker-blocked.error.js';
import { BrokerUnavailableError } from '../errors/broker-unavailable.error.js';
import { ConfirmLostError } from '../errors/confirm-lost.error.js';
import { ConfirmTimeoutError } from '../errors/confirm-timeout.error.js';
import { MessageTooLargeError } from '../errors/message-too-large.error.js';
import { PublisherBusyError } from '../errors/publisher-busy.error.js';
import { QueueFullError } from '../errors/queue-full.error.js';
import { UnroutableError } from '../errors/unroutable.error.js';
import { type Refusal, toError } from './refusal.js';

const REFUSAL = { queue: 'orders', messageId: 'id-1', because: '9 ready, limit 8', retryAfterMs: 1_000 };

describe('the error of a refusal', () => {
  it.each<[Refusal['reason'], boolean, unknown]>([
    ['queue-full', false, QueueFullError],
    ['gateway-busy', false, PublisherBusyError],
    ['broker-unavailable', false, BrokerUnavailableError],
    ['broker-alarm', false, BrokerBlockedError],
    ['unroutable', false, UnroutableError],
    ['too-large', false, MessageTooLargeError],
    ['unknown', false, ConfirmLostError],
    ['unknown', true, ConfirmTimeoutError],
  ])('for %s (silent: %s) has its own class and carries what is known', (reason, wasSilent, type) => {
    const error = toError({ ...REFUSAL, reason, wasSilent });
    expect(error.constructor).toBe(type);
    expect(error).toMatchObject({ reason, queue: 'orders', messageId: 'id-1', retryAfterMs: 1_000 });
    expect(error.message).toContain('orders');
  });

  it('says what happened and what to do next', () => {
    expect(toError({ ...REFUSAL, reason: 'queue-full' }).message).toBe(
      'queue orders is full (9 ready, limit 8); try again later',
    );
    expect(toError({ ...REFUSAL, reason: 'unknown', because: 'no confirm within 5 ms' }).message).toBe(
      'message id-1 for queue orders may be stored or not (no confirm within 5 ms); send it again with the same id only',
    );
  });
});
