import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gate, incoming, RecordingTelemetry, settled } from '../../../../test/support/fake-broker.js';
import type { IncomingMessage, OutgoingMessage } from '../broker/broker.port.js';
import type { JobEnd } from '../telemetry/telemetry.js';
import { Replier, type ReplyPublish } from './replier.js';
import type { SettleOutcome } from './settler.js';

const CALLER = { replyTo: 'amq.rabbitmq.reply-to.g1h2.key', correlationId: 'c-1' };
const DEAD: SettleOutcome = {
  kind: 'dead',
  reason: 'failed',
  attempts: 5,
  error: new TypeError('password "hunter2" was refused'),
};

interface Setup {
  readonly message?: Partial<IncomingMessage>;
  readonly publish?: ReplyPublish;
}

function setUp({ message = CALLER, publish = async () => undefined }: Setup = {}) {
  const telemetry = new RecordingTelemetry();
  const replies: OutgoingMessage[] = [];
  const publishReply: ReplyPublish = (reply) => {
    replies.push(reply);
    return publish(reply);
  };
  const replier = new Replier('orders', publishReply, telemetry);
  const replyTo = (outcome: SettleOutcome, end: JobEnd): void =>
    replier.reply({ message: incoming(message), messageId: 'id-1', outcome, end });
  const replyWith = (result: unknown): void => replyTo({ kind: 'succeeded', result }, 'succeeded');
  return { replyTo, replyWith, replies, telemetry };
}

describe('a reply', () => {
  it('carries the result, to the caller, who may be gone', () => {
    const { replyWith, replies } = setUp();
    replyWith({ total: 7 });
    expect(replies).toEqual([
      {
        queue: CALLER.replyTo,
        correlationId: 'c-1',
        messageId: 'id-1',
        body: Buffer.from('{"total":7}'),
        contentType: 'application/json',
        headers: {},
        isMandatory: false,
      },
    ]);
  });

  it.each([
    ['nothing', undefined, '', undefined],
    ['null', null, 'null', 'application/json'],
    ['bytes', Buffer.from('x'), 'x', 'application/octet-stream'],
    ['a part of bytes', new Uint8Array(Buffer.from('xyz')).subarray(1, 2), 'y', 'application/octet-stream'],
  ])('carries %s as it is', (_what, result, body, contentType) => {
    const { replyWith, replies } = setUp();
    replyWith(result);
    expect(replies).toMatchObject([{ body: Buffer.from(body), contentType, headers: {} }]);
  });

  it.each([
    ['dead-lettered', 'failed'],
    ['expired', 'expired'],
  ] as const)('says that the work was %s and the class of the error, never its message', (end, reason) => {
    const { replyTo, replies } = setUp();
    replyTo({ ...DEAD, reason }, end);
    expect(replies).toMatchObject([
      { body: Buffer.from('{"error":"TypeError"}'), headers: { 'x-reply-failed': reason } },
    ]);
    expect(JSON.stringify(replies)).not.toContain('hunter2');
  });

  it('says so when JSON cannot carry the result', () => {
    const circular: Record<string, unknown> = {};
    circular['itself'] = circular;
    for (const result of [circular, 1n, { deep: [1n] }, () => 1, Symbol('s')]) {
      const { replyWith, replies } = setUp();
      replyWith(result);
      expect(replies).toMatchObject([
        { body: Buffer.from('{"error":"TypeError"}'), headers: { 'x-reply-failed': 'unserialisable' } },
      ]);
    }
  });

  it('carries nothing, and no failure, for work that need not be done', () => {
    const { replyTo, replies } = setUp();
    replyTo({ kind: 'dropped' }, 'dropped');
    expect(replies).toMatchObject([{ body: Buffer.alloc(0), contentType: undefined, headers: {} }]);
  });

  it.each<[string, SettleOutcome, JobEnd]>([
    ['was returned', { kind: 'returned' }, 'returned'],
    ['is tried again', { kind: 'retry', attempts: 1, delayMs: 500, error: new Error('no') }, 'retried'],
    ['was deferred', { kind: 'defer', delayMs: 500 }, 'deferred'],
    ['was set aside', { kind: 'set-aside', starts: 1, delayMs: 1_000 }, 'set-aside'],
    ['was done on a channel that is gone', { kind: 'succeeded', result: 7 }, 'lost'],
    ['was dropped on a channel that is gone', { kind: 'dropped' }, 'lost'],
    ['is dead on a channel that is gone', DEAD, 'lost'],
    ['is dead without a dead letter', DEAD, 'returned'],
  ])('is not sent for work that comes again, since it %s', (_why, outcome, end) => {
    const { replyTo, replies } = setUp();
    replyTo(outcome, end);
    expect(replies).toEqual([]);
  });

  it.each([
    ['nobody', {}],
    ['a queue of the publisher’s choice', { replyTo: 'payments' }],
    ['the address that no delivery has', { replyTo: 'amq.rabbitmq.reply-to' }],
    ['a queue that looks like a caller', { replyTo: 'x.amq.rabbitmq.reply-to.g1h2' }],
    ['a caller that could not tell which it is', { ...CALLER, correlationId: undefined }],
  ])('is not sent to %s', (_whom, message) => {
    const { replyWith, replies } = setUp({ message: { correlationId: 'c-1', ...message } });
    replyWith(7);
    expect(replies).toEqual([]);
  });

  it('is told as lost when it cannot be sent', async () => {
    const publish = (): Promise<void> => Promise.reject(new Error('the broker is away'));
    const { replyWith, telemetry } = setUp({ publish });
    replyWith(7);
    await settled();
    expect(telemetry.named('reply.lost')).toEqual([
      { name: 'reply.lost', queue: 'orders', messageId: 'id-1', reason: 'Error: the broker is away' },
    ]);
  });

  it('is one or none, and never an exception, whatever the handler returned or threw', async () => {
    const anything = fc.anything({ withBigInt: true, withNullPrototype: true, withTypedArray: true });
    await fc.assert(
      fc.asyncProperty(anything, fc.boolean(), fc.boolean(), async (value, isDead, isSent) => {
        const sent = gate();
        const { replyTo, replies, telemetry } = setUp({ publish: () => sent.promise });
        if (isDead) replyTo({ ...DEAD, error: value }, 'dead-lettered');
        else replyTo({ kind: 'succeeded', result: value }, 'succeeded');
        if (isSent) sent.open();
        else sent.fail(value);
        await settled();
        expect(replies).toHaveLength(1);
        expect(telemetry.named('reply.lost')).toHaveLength(isSent ? 0 : 1);
      }),
    );
  });
});
