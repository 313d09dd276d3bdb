import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fakeTimeInEachTest, incoming } from '../../../../test/support/fake-broker.js';
import type { IncomingMessage } from '../broker/broker.port.js';
import { deadCopy, deferredCopy, retryCopy, setAsideCopy, type WorkCopy, reducedCopy } from './work-copy.js';

const ERROR = new TypeError('no such customer');

/** As it may come back from the wait ladder, to a caller that waits. */
const MESSAGE: IncomingMessage = incoming({
  body: Buffer.from('{"a":1}'),
  contentType: 'application/vnd.orders+json',
  contentEncoding: 'gzip',
  replyTo: 'amq.rabbitmq.reply-to.g1h2',
  correlationId: 'c-1',
  headers: {
    tenant: 't1',
    'x-sent': 1,
    'x-deadline': 2,
    'x-pattern': 'orders.take',
    CC: ['audit'],
    BCC: ['secret'],
    'x-death': [{ queue: 'orders.wait.1s', count: 1 }],
    'x-first-death-exchange': '',
    'x-first-death-queue': 'orders.wait.1s',
    'x-first-death-reason': 'expired',
    'x-last-death-exchange': '',
    'x-last-death-queue': 'orders.wait.1s',
    'x-last-death-reason': 'expired',
    'x-delivery-count': 7,
    'x-acquired-count': 8,
    'x-publish-id': 9,
    'x-starts': 2,
  },
});

const OWN_HEADERS = { tenant: 't1', 'x-sent': 1, 'x-deadline': 2, 'x-pattern': 'orders.take' };

const CONTENT = {
  body: Buffer.from('{"a":1}'),
  messageId: 'id-1',
  contentType: 'application/vnd.orders+json',
  contentEncoding: 'gzip',
};

const CALLER = { replyTo: 'amq.rabbitmq.reply-to.g1h2', correlationId: 'c-1' };

const COPIES: ReadonlyArray<[string, (message: IncomingMessage, error?: unknown) => WorkCopy]> = [
  ['for the next attempt', (message, error = ERROR) => retryCopy(message, 'id-1', { attempts: 1, error })],
  ['of deferred work', (message) => deferredCopy(message, 'id-1')],
  ['of what was set aside', (message) => setAsideCopy(message, 'id-1', 1)],
  [
    'of dead work',
    (message, error = ERROR) => deadCopy(message, 'id-1', { reason: 'failed', attempts: 5, error }, 'orders'),
  ],
];

fakeTimeInEachTest();

describe('a copy for the next attempt', () => {
  it('is the message, its caller and its own headers, with the attempts made and the error', () => {
    expect(retryCopy(MESSAGE, 'id-1', { attempts: 2, error: ERROR })).toEqual({
      ...CONTENT,
      ...CALLER,
      headers: {
        ...OWN_HEADERS,
        'x-attempts': 2,
        'x-first-error': 'TypeError: no such customer',
        'x-last-error': 'TypeError: no such customer',
      },
    });
  });

  it('keeps the first error of all and the last one', () => {
    let message = MESSAGE;
    for (const [index, text] of ['one', 'two', 'three'].entries()) {
      const { headers } = retryCopy(message, 'id-1', { attempts: index + 1, error: new Error(text) });
      message = incoming({ ...message, headers });
    }
    expect(message.headers).toMatchObject({
      'x-attempts': 3,
      'x-first-error': 'Error: one',
      'x-last-error': 'Error: three',
    });
  });

  it('tells an error of any length in 500 characters: the headers are copied each time', () => {
    const error = new Error('x'.repeat(5_000));
    const { headers } = retryCopy(MESSAGE, 'id-1', { attempts: 1, error });
    expect(headers['x-first-error']).toHaveLength(500);
    expect(headers['x-last-error']).toHaveLength(500);
  });

  it('has no start on record any more: this one came to an end', () => {
    expect(retryCopy(MESSAGE, 'id-1', { attempts: 1, error: ERROR }).headers).not.toHaveProperty('x-starts');
  });
});

describe('a copy of deferred work', () => {
  it('is the message as it came, with the attempts and errors it had', () => {
    const before = { 'x-attempts': 2, 'x-first-error': 'Error: one', 'x-last-error': 'Error: two' };
    const message = { ...MESSAGE, headers: { ...MESSAGE.headers, ...before } };
    expect(deferredCopy(message, 'id-1')).toEqual({
      ...CONTENT,
      ...CALLER,
      headers: { ...OWN_HEADERS, ...before },
    });
  });
});

describe('a copy of what was set aside', () => {
  it('is the message as it came, with its starts on record', () => {
    expect(setAsideCopy(MESSAGE, 'id-1', 3)).toEqual({
      ...CONTENT,
      ...CALLER,
      headers: { ...OWN_HEADERS, 'x-starts': 3 },
    });
  });
});

describe('a copy of dead work', () => {
  it('is the message and its own headers with why, whence and when, and asks for no reply', () => {
    expect(deadCopy(MESSAGE, 'id-1', { reason: 'failed', attempts: 5, error: ERROR }, 'orders')).toEqual({
      ...CONTENT,
      headers: {
        ...OWN_HEADERS,
        'x-attempts': 5,
        'x-first-error': 'TypeError: no such customer',
        'x-last-error': 'TypeError: no such customer',
        'x-dead-reason': 'failed',
        'x-dead-queue': 'orders',
        'x-dead-error': 'TypeError: no such customer',
        'x-dead-attempts': 5,
        'x-dead-at': Date.now(),
      },
    });
  });

  it('has the last attempt beside the first error of all', () => {
    const before = { 'x-attempts': 2, 'x-first-error': 'Error: one', 'x-last-error': 'Error: two' };
    const message = { ...MESSAGE, headers: before };
    const { headers } = deadCopy(message, 'id-1', { reason: 'failed', attempts: 3, error: ERROR }, 'orders');
    expect(headers).toMatchObject({
      'x-attempts': 3,
      'x-first-error': 'Error: one',
      'x-last-error': 'TypeError: no such customer',
      'x-dead-attempts': 3,
    });
  });

  it.each([
    ['was tried before', { 'x-attempts': 2, 'x-first-error': 'Error: one', 'x-last-error': 'Error: two' }, 2],
    ['was never tried', {}, 0],
  ])(
    'keeps what its attempts before have left when it died without one and %s',
    (_what, before, attempts) => {
      const message = { ...MESSAGE, headers: before };
      const { headers } = deadCopy(message, 'id-1', { reason: 'expired', attempts, error: ERROR }, 'orders');
      const ofThemselves = Object.entries(headers).filter(([name]) => !name.startsWith('x-dead-'));
      expect(Object.fromEntries(ofThemselves)).toEqual(before);
      expect(headers).toMatchObject({ 'x-dead-attempts': attempts, 'x-dead-error': String(ERROR) });
    },
  );

  it('is not taken in by what says that it died before', () => {
    const message = { ...MESSAGE, headers: { 'x-dead-reason': 'permanent', 'x-dead-queue': 'payments' } };
    const { headers } = deadCopy(message, 'id-1', { reason: 'failed', attempts: 1, error: ERROR }, 'orders');
    expect(headers).toMatchObject({ 'x-dead-reason': 'failed', 'x-dead-queue': 'orders' });
  });

  it('tells an error of any length in 2,000 characters', () => {
    const error = new Error('x'.repeat(5_000));
    const { headers } = deadCopy(MESSAGE, 'id-1', { reason: 'failed', attempts: 1, error }, 'orders');
    expect(headers['x-dead-error']).toHaveLength(2_000);
  });
});

describe.each(COPIES)('a copy %s', (_what, copyOf) => {
  it('is made under the id it is worked on by when its publisher gave it none', () => {
    expect(copyOf({ ...MESSAGE, messageId: undefined })).toMatchObject({ messageId: 'id-1' });
  });

  it('names no encoding and no caller when there was none', () => {
    const { contentType, ...copy } = copyOf(incoming({ contentType: undefined }));
    expect(contentType).toBeUndefined();
    expect(Object.keys(copy).sort()).toEqual(['body', 'headers', 'messageId']);
  });

  it('leaves the message as it is', () => {
    const headers = structuredClone(MESSAGE.headers);
    copyOf(MESSAGE);
    expect(MESSAGE.headers).toEqual(headers);
  });

  it('is made whatever was thrown', () => {
    const unprintable = {
      toString: () => 7 as unknown as string,
      [Symbol.toPrimitive]: undefined,
      valueOf: undefined,
    };
    const hostile = Object.defineProperty(new Error('m'), 'message', {
      get: () => Object.create(null) as string,
    });
    for (const error of [null, 7, Symbol('s'), Object.create(null), { a: 1 }, unprintable, hostile]) {
      const { headers } = copyOf(MESSAGE, error);
      const errors = Object.entries(headers).filter(([name]) => name.endsWith('-error'));
      expect(errors.filter(([, text]) => typeof text !== 'string' || text === '')).toEqual([]);
    }
  });

  it('has every header of the message that is not of one delivery, whatever it is', () => {
    const foreign = fc.dictionary(
      fc.string().map((name) => `own-${name}`),
      fc.anything(),
    );
    fc.assert(
      fc.property(foreign, (headers) => {
        expect(copyOf({ ...MESSAGE, headers: { ...MESSAGE.headers, ...headers } }).headers).toMatchObject(
          headers,
        );
      }),
    );
  });
});

describe('a copy reduced to what can surely be sent', () => {
  const COPY: WorkCopy = { ...CONTENT, ...CALLER, headers: { ...OWN_HEADERS, 'x-dead-reason': 'failed' } };

  it('has lost the headers of others and nothing else', () => {
    const { tenant: _foreign, ...headers } = COPY.headers;
    expect(reducedCopy(COPY)).toEqual({ ...COPY, headers });
  });

  it.each([
    ['long text', 'x'.repeat(2_001)],
    ['a list', [1]],
    ['an object', { '!': 'decimal' }],
    ['no number', Number.NaN],
    ['nothing', undefined],
  ])('has lost what bears the name of one of ours and is %s', (_what, value) => {
    const headers = { 'x-first-error': value, 'x-attempts': 2 };
    expect(reducedCopy({ ...COPY, headers }).headers).toEqual({ 'x-attempts': 2 });
  });

  it('has lost names that AMQP cannot carry, and keeps as much of the id as it can', () => {
    const long = '\ufffd'.repeat(86);
    const names = { contentType: long, contentEncoding: long, replyTo: long, correlationId: long };
    const reduced = reducedCopy({ ...COPY, ...names, messageId: `id-${long}` });
    expect(Object.keys(reduced).toSorted()).toEqual(['body', 'contentType', 'headers', 'messageId']);
    expect(reduced.contentType).toBeUndefined();
    expect(reduced.messageId).toBe(`id-${'\ufffd'.repeat(84)}`);
    expect(reducedCopy({ ...COPY, correlationId: long })).not.toHaveProperty('replyTo');
  });

  it('keeps all that was added to it', () => {
    const error = new Error('x'.repeat(5_000));
    for (const [, copyOf] of COPIES) {
      const copy = copyOf(incoming(), error);
      expect(reducedCopy(copy)).toEqual(copy);
    }
  });
});
