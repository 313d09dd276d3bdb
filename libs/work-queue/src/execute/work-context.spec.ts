import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { incoming } from '../../../../test/support/fake-broker.js';
import { Attempt } from './attempt.js';
import type { RunInThread } from './run-in-thread.js';
import { WorkContext } from './work-context.js';

function contextOf(headers: Record<string, unknown>, runInThread?: RunInThread): WorkContext {
  const message = incoming({ headers, body: Buffer.from('{"a":1}'), isRedelivered: true });
  return new WorkContext({ queue: 'orders', messageId: 'id-1', message, runInThread });
}

describe('a work context', () => {
  it('tells which work it is, as it was delivered', () => {
    const headers = { tenant: 't1' };
    expect(contextOf(headers)).toMatchObject({
      queue: 'orders',
      messageId: 'id-1',
      headers,
      body: Buffer.from('{"a":1}'),
      isRedelivered: true,
    });
  });

  it('knows when the message was published, if the publisher said so', () => {
    expect(contextOf({ 'x-sent': 1_700_000_000_000 }).publishedAt).toEqual(new Date(1_700_000_000_000));
  });

  it('knows when the work is no longer worth starting, if the publisher said so', () => {
    expect(contextOf({ 'x-deadline': 1_700_000_000_000 }).deadline).toEqual(new Date(1_700_000_000_000));
    expect(contextOf({}).deadline).toBeUndefined();
  });

  it.each([undefined, null, 'yesterday', Number.NaN, Infinity, 1e300, { '!': 'timestamp', value: 1 }])(
    'makes no date of %p',
    (header) => {
      const { publishedAt, deadline } = contextOf({ 'x-sent': header, 'x-deadline': header });
      expect([publishedAt, deadline]).toEqual([undefined, undefined]);
    },
  );

  it('has a date that can be computed with or none, whatever the header', () => {
    fc.assert(
      fc.property(fc.anything(), (header) => {
        const { deadline } = contextOf({ 'x-deadline': header });
        expect(deadline?.getTime()).not.toBeNaN();
      }),
    );
  });

  it('counts the attempts of the work from 1, whatever the header', () => {
    expect(contextOf({}).attempt).toBe(1);
    expect(contextOf({ 'x-attempts': 2 }).attempt).toBe(3);
    fc.assert(
      fc.property(fc.anything(), (header) => {
        const { attempt } = contextOf({ 'x-attempts': header });
        expect(Number.isInteger(attempt) && attempt >= 1).toBe(true);
      }),
    );
  });

  it('has the signal of the attempt that runs, and before it one that never aborts', () => {
    const context = contextOf({});
    expect(context.signal.aborted).toBe(false);
    const attempt = new Attempt(['id-1'], 0);
    context.begin(attempt);
    expect(context.signal).toBe(attempt.signal);
    attempt.abort(new Error('too long'));
    expect(context.signal.aborted).toBe(true);
  });

  it('runs the threads module of its handler, told to stop with the attempt', async () => {
    const runInThread = jest.fn<RunInThread>(async () => 'done');
    const context = contextOf({}, runInThread);
    const attempt = new Attempt(['id-1'], 0);
    context.begin(attempt);
    const bytes = new ArrayBuffer(8);
    expect(await context.inThread({ bytes }, [bytes])).toBe('done');
    const [input, options] = runInThread.mock.calls[0] ?? [];
    expect(input).toEqual({ bytes });
    expect(options?.signal).toBe(attempt.signal);
    expect(options?.transfer).toEqual([bytes]);
  });

  it('says what to write when its handler has no threads module', async () => {
    await expect(contextOf({}).inThread(7)).rejects.toThrow(
      /^the handler of orders has no threads module: write @WorkHandler\('orders', \{ threads:/,
    );
  });
});
