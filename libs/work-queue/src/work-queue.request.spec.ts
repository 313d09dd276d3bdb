import { describe, expect, it, jest } from '@jest/globals';
import { fakeableTimers, fakeTimeInEachTest, settled } from '../../../test/support/fake-broker.js';
import type { OpenCalls as OpenCallsType } from '../../../test/support/open-calls.js';
import { IdempotencyConflictError } from './errors/idempotency-conflict.error.js';
import { InvalidMessageError } from './errors/invalid-message.error.js';
import { UnroutableError } from './errors/unroutable.error.js';
import { WorkFailedError } from './errors/work-failed.error.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { OpenCalls } = await import('../../../test/support/open-calls.js');

const RECEIPT = { id: 'id-1', queue: 'orders', mayBeDropped: false };

const closeAfterTest = fakeTimeInEachTest();

async function setUp(options?: { maxCallers: number }): Promise<OpenCallsType> {
  const calls = await OpenCalls.open(options);
  closeAfterTest(() => calls.close());
  return calls;
}

describe('a call', () => {
  it('asks for a reply to itself, and ends with what the handler returned', async () => {
    const calls = await setUp();
    const made = await calls.call();
    expect(made.sent?.message).toMatchObject({
      messageId: 'id-1',
      replyTo: 'amq.rabbitmq.reply-to',
      correlationId: expect.stringMatching(/^[\w-]{22}$/),
    });
    await calls.confirm(made);
    expect(made.end).toBeUndefined();
    await calls.reply(made, { total: 7 });
    expect(made.end).toEqual({ receipt: RECEIPT, isDone: true, result: { total: 7 } });
  });

  it('whose reply makes no sense goes on without a result', async () => {
    const calls = await setUp();
    const made = await calls.call();
    await calls.confirm(made);
    const correlationId = made.sent?.message.correlationId;
    await calls.receive({ correlationId, body: Buffer.from('{bad'), contentType: 'application/json' });
    expect(made.end).toEqual({ receipt: RECEIPT, isDone: false, because: 'reply-lost' });
  });

  it('of a handler that returns nothing ends with nothing', async () => {
    const calls = await setUp();
    const made = await calls.call();
    await calls.confirm(made);
    await calls.reply(made);
    expect(made.end).toEqual({ receipt: RECEIPT, isDone: true, result: undefined });
  });

  it('gets its own reply, in whatever order they come', async () => {
    const calls = await setUp();
    const both = [await calls.call({ messageId: 'id-1' }), await calls.call({ messageId: 'id-2' })];
    for (const made of both) await calls.confirm(made);
    for (const made of both.toReversed()) await calls.reply(made, made.sent?.message.messageId);
    expect(both.map(({ end }) => end)).toMatchObject([{ result: 'id-1' }, { result: 'id-2' }]);
  });

  it('whose reply is here before the confirm ends with the confirm', async () => {
    const calls = await setUp();
    const made = await calls.call();
    await calls.reply(made, 'done');
    expect(made.end).toBeUndefined();
    await calls.confirm(made);
    expect(made.end).toMatchObject({ isDone: true, result: 'done' });
  });

  it('fails when its work was dead-lettered, and says why', async () => {
    const calls = await setUp();
    const made = await calls.call();
    await calls.confirm(made);
    await calls.reply(made, { error: 'TypeError' }, { 'x-reply-failed': 'permanent' });
    expect(made.end).toBeInstanceOf(WorkFailedError);
    expect(made.end).toMatchObject({
      message: 'work id-1 of queue orders was dead-lettered (permanent)',
      code: 'WQ_WORK_FAILED',
      deadReason: 'permanent',
      messageId: 'id-1',
      queue: 'orders',
    });
  });

  it('whose result cannot travel is told so: its work is done', async () => {
    const calls = await setUp();
    const made = await calls.call();
    await calls.confirm(made);
    await calls.reply(made, { error: 'TypeError' }, { 'x-reply-failed': 'unserialisable' });
    expect(made.end).toEqual({ receipt: RECEIPT, isDone: false, because: 'reply-lost' });
  });

  it('is refused as any publish is, and waits for nothing then', async () => {
    const calls = await setUp();
    const made = await calls.call();
    await calls.confirm(made, 'returned');
    expect(made.end).toBeInstanceOf(UnroutableError);
  });

  it('is refused for an id that was used for other work', async () => {
    const calls = await setUp();
    await calls.confirm(await calls.call());
    const other = await calls.call({}, { a: 2 });
    expect(other).toMatchObject({ end: expect.any(IdempotencyConflictError), sent: undefined });
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY, 2 ** 31])(
    'cannot wait %p ms, and nothing is sent',
    async (waitMs) => {
      const calls = await setUp();
      const made = await calls.call({ waitMs });
      expect(made).toMatchObject({ end: expect.any(InvalidMessageError), sent: undefined });
      expect(made.end).toHaveProperty('message', expect.stringContaining('expected waitMs to be 0 to'));
    },
  );
});

describe('who calls', () => {
  it('waits as long as it said, counted from the call', async () => {
    const calls = await setUp();
    const made = await calls.call();
    await jest.advanceTimersByTimeAsync(300);
    await calls.confirm(made);
    await jest.advanceTimersByTimeAsync(199);
    expect(made.end).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1);
    expect(made.end).toEqual({ receipt: RECEIPT, isDone: false, because: 'time-is-up' });
    await calls.reply(made, 'done');
  });

  it('who waits 0 ms gets the receipt', async () => {
    const calls = await setUp();
    const made = await calls.call({ waitMs: 0 });
    await calls.confirm(made);
    await jest.advanceTimersByTimeAsync(1);
    expect(made.end).toMatchObject({ isDone: false, because: 'time-is-up' });
  });

  it('who waited too long for the confirm gets a reply that is here', async () => {
    const calls = await setUp();
    const made = await calls.call();
    await calls.reply(made, 'done');
    await jest.advanceTimersByTimeAsync(900);
    await calls.confirm(made);
    expect(made.end).toMatchObject({ isDone: true, result: 'done' });
  });

  it('may go while waiting; the work goes on', async () => {
    const calls = await setUp();
    const caller = new AbortController();
    const made = await calls.call({ signal: caller.signal });
    await calls.confirm(made);
    caller.abort();
    await settled();
    expect(made.end).toEqual({ receipt: RECEIPT, isDone: false, because: 'caller-gone' });
  });

  it('may be gone before the confirm', async () => {
    const calls = await setUp();
    const made = await calls.call({ signal: AbortSignal.abort() });
    expect(made.end).toBeUndefined();
    await calls.confirm(made);
    expect(made.end).toMatchObject({ isDone: false, because: 'caller-gone' });
  });

  it('does not wait when as many do as may; its work is stored all the same', async () => {
    const calls = await setUp({ maxCallers: 1 });
    const first = await calls.call();
    const second = await calls.call({ messageId: 'id-2' });
    expect(second.sent?.message).not.toHaveProperty('replyTo');
    await calls.confirm(second);
    expect(second.end).toEqual({
      receipt: { ...RECEIPT, id: 'id-2' },
      isDone: false,
      because: 'too-many-waiting',
    });
    await calls.confirm(first);
    await calls.reply(first, 'done');
    expect(first.end).toMatchObject({ isDone: true });
    expect((await calls.call({ messageId: 'id-3' })).sent?.message).toHaveProperty('replyTo');
  });
});
