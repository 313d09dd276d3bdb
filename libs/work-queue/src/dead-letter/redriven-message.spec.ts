import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { incoming } from '../../../../test/support/fake-broker.js';
import { redrivenMessage } from './redriven-message.js';

const TARGET = { queue: 'orders', messageId: 'order-1', sentAt: 1_700_000_000_000 };

const PAST = {
  'x-dead-reason': 'failed',
  'x-dead-queue': 'orders',
  'x-dead-error': 'TypeError: no',
  'x-dead-attempts': 5,
  'x-dead-at': 1,
  'x-dead-whatever-comes': 1,
  'x-deadline': 1,
  'x-attempts': 4,
  'x-first-error': 'a',
  'x-last-error': 'b',
  'x-starts': 1,
  'x-death': [{ reason: 'expired' }],
  'x-first-death-queue': 'orders',
  'x-first-death-reason': 'expired',
  'x-last-death-exchange': '',
  'x-delivery-count': 3,
  'x-acquired-count': 3,
  'x-publish-id': '7',
  CC: ['elsewhere'],
  BCC: ['elsewhere'],
};

describe('a redriven message', () => {
  it('is the same work, sent now', () => {
    const letter = incoming({
      body: Buffer.from([1, 2]),
      contentType: 'application/x-own',
      contentEncoding: 'gzip',
    });
    expect(redrivenMessage(letter, TARGET)).toEqual({
      queue: 'orders',
      messageId: 'order-1',
      body: Buffer.from([1, 2]),
      contentType: 'application/x-own',
      contentEncoding: 'gzip',
      headers: { 'x-sent': TARGET.sentAt },
    });
  });

  it('asks for no reply and does not expire', () => {
    const letter = incoming({ replyTo: 'amq.rabbitmq.reply-to.x', correlationId: '5' });
    const { replyTo, correlationId, expirationMs } = redrivenMessage(letter, TARGET);
    expect([replyTo, correlationId, expirationMs]).toEqual([undefined, undefined, undefined]);
  });

  it('leaves its past behind and keeps the pattern and what is its own', () => {
    const own = { 'x-pattern': 'order.paid', traceparent: '00-1', 'x-deadly': 'not ours' };
    const { headers } = redrivenMessage(incoming({ headers: { ...PAST, ...own, 'x-sent': 5 } }), TARGET);
    expect(headers).toEqual({ ...own, 'x-sent': TARGET.sentAt });
  });

  it('keeps every header that is not of the past, as it is', () => {
    const names = fc
      .string()
      .filter((name) => !(name in PAST) && !/^x-(dead|first-death|last-death)-/.test(name));
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue(), { noNullPrototype: true }), (own) => {
        const { headers } = redrivenMessage(incoming({ headers: { ...own, ...PAST } }), TARGET);
        expect(headers).toEqual({ ...own, 'x-sent': TARGET.sentAt });
      }),
    );
  });
});
