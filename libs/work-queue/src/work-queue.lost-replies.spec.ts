import { describe, expect, it, jest } from '@jest/globals';
import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { fakeableTimers, fakeTimeInEachTest, settled } from '../../../test/support/fake-broker.js';
import type { Call, OpenCalls as OpenCallsType } from '../../../test/support/open-calls.js';
import { ConfirmLostError } from './errors/confirm-lost.error.js';
import { ConfirmTimeoutError } from './errors/confirm-timeout.error.js';
import { IdempotencyConflictError } from './errors/idempotency-conflict.error.js';
import { WorkFailedError } from './errors/work-failed.error.js';
import type { ReplyWaiters } from './publish/reply-waiters.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { OpenCalls } = await import('../../../test/support/open-calls.js');

const RECEIPT = { id: 'id-1', queue: 'orders', mayBeDropped: false };

const closeAfterTest = fakeTimeInEachTest();

async function setUp(options?: { maxCallers: number }): Promise<OpenCallsType> {
  const calls = await OpenCalls.open(options);
  closeAfterTest(() => calls.close());
  return calls;
}

describe('when this process is about to end', () => {
  it('who waits goes on without the result, and who comes then does not wait', async () => {
    const calls = await setUp();
    const first = await calls.call();
    await calls.confirm(first);
    calls.waiters.close();
    await settled();
    expect(first.end).toEqual({ receipt: RECEIPT, isDone: false, because: 'closing' });
    const second = await calls.call({ messageId: 'id-2' });
    await calls.confirm(second);
    expect(second.end).toMatchObject({ isDone: false, because: 'closing' });
  });

  it('a call is confirmed before it ends', async () => {
    const calls = await setUp();
    const made = await calls.call();
    calls.waiters.close();
    await settled();
    expect(made.end).toBeUndefined();
    await calls.confirm(made);
    expect(made.end).toMatchObject({ receipt: RECEIPT, because: 'closing' });
  });
});

describe('a call that the broker does not confirm', () => {
  it.each([
    ['silence', ConfirmTimeoutError],
    ['a lost connection', ConfirmLostError],
  ])('is unknown after %s without a reply', async (how, errorClass) => {
    const calls = await setUp();
    const made = await calls.call();
    if (how === 'silence') await jest.advanceTimersByTimeAsync(1_000);
    else calls.orders.connection.lose();
    await settled();
    expect(made.end).toBeInstanceOf(errorClass);
  });

  it.each(['silence', 'a lost connection'])('is done after %s when its reply is here', async (how) => {
    const calls = await setUp();
    const made = await calls.call();
    await calls.reply(made, 'done');
    if (how === 'silence') await jest.advanceTimersByTimeAsync(1_000);
    else calls.orders.connection.lose();
    await settled();
    expect(made.end).toEqual({ receipt: RECEIPT, isDone: true, result: 'done' });
  });

  it('has failed when its reply says so', async () => {
    const calls = await setUp();
    const made = await calls.call();
    await calls.reply(made, { error: 'Error' }, { 'x-reply-failed': 'failed' });
    calls.orders.connection.lose();
    await settled();
    expect(made.end).toBeInstanceOf(WorkFailedError);
  });

  it('keeps its id from being used for other work', async () => {
    const calls = await setUp();
    await calls.call();
    calls.orders.connection.lose();
    calls.orders.connection.comeBack();
    await jest.advanceTimersByTimeAsync(200);
    expect((await calls.call({}, { a: 2 })).end).toBeInstanceOf(IdempotencyConflictError);
  });
});

describe('the channel that replies come to', () => {
  it('takes the replies with it when it is lost', async () => {
    const calls = await setUp();
    const made = await calls.call();
    await calls.confirm(made);
    calls.orders.connection.publishChannel.end('closed by the broker');
    await settled();
    expect(made.end).toEqual({ receipt: RECEIPT, isDone: false, because: 'reply-lost' });
  });

  it('is opened anew for later calls', async () => {
    const calls = await setUp();
    await calls.confirm(await calls.call());
    calls.orders.connection.lose();
    calls.orders.connection.comeBack();
    await jest.advanceTimersByTimeAsync(200);
    const made = await calls.call({ messageId: 'id-2' });
    await calls.confirm(made);
    await calls.reply(made, 'done');
    expect(made.end).toMatchObject({ isDone: true });
  });

  it('is none that other messages are published on', async () => {
    const calls = await setUp();
    await calls.confirm(await calls.call());
    const published = calls.queue.publish({ a: 1 });
    const [plain, withReplies] = calls.orders.connection.publishChannels;
    expect([plain?.sent.length, withReplies?.sent.length]).toEqual([1, 1]);
    plain?.sent[0]?.answer('acked');
    await published;
    expect(plain?.onReply).toBeUndefined();
  });

  it('is made again for the next call when it could not be opened', async () => {
    const calls = await setUp();
    calls.orders.connection.beforeOpen = () => Promise.reject(new Error('channel limit'));
    expect((await calls.call()).end).toMatchObject({ reason: 'broker-unavailable' });
    calls.orders.connection.beforeOpen = () => Promise.resolve();
    expect((await calls.call()).sent).toBeDefined();
  });

  it('drops a reply that nobody waits for', async () => {
    const calls = await setUp();
    const made = await calls.call();
    await calls.receive({ correlationId: 'nobody' });
    await calls.receive({ correlationId: undefined });
    await calls.confirm(made);
    await calls.reply(made, 'done');
    await calls.reply(made, 'again');
    expect(made.end).toMatchObject({ result: 'done' });
  });
});

/** Asserts that nobody waits: as many callers as there may be find a place. */
function expectNobodyWaits(waiters: ReplyWaiters, capacity: number): void {
  for (let place = 0; place < capacity; place++) {
    expect(waiters.refusal).toBeUndefined();
    waiters.add(`place ${place}`);
  }
  expect(waiters.refusal).toBe('too-many-waiting');
}

/** What can happen to a call, from the broker, the worker, the caller and the clock. */
const STEPS = [
  'acked',
  'nacked',
  'returned',
  'reply',
  'failure',
  'abort',
  'lose',
  'come back',
  '100 ms',
  '1 s',
] as const;

it('no call leaves a timer, a listener or a waiter behind, whatever happens to it', async () => {
  const steps = fc.array(fc.tuple(fc.constantFrom(...STEPS), fc.nat({ max: 4 })), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const calls = await setUp({ maxCallers: 4 });
      const caller = new AbortController();
      const all: Call[] = [];
      for (let made = 0; made < 5; made++)
        all.push(await calls.call({ messageId: `id-${made}`, signal: caller.signal }));
      for (const [step, index] of script) {
        const made = all[index];
        if (!made) continue;
        if (step === 'reply') await calls.reply(made, 'done');
        else if (step === 'failure') await calls.reply(made, {}, { 'x-reply-failed': 'failed' });
        else if (step === 'abort') caller.abort();
        else if (step === 'lose') calls.orders.connection.lose();
        else if (step === 'come back') calls.orders.connection.comeBack();
        else if (step === '100 ms') await jest.advanceTimersByTimeAsync(100);
        else if (step === '1 s') await jest.advanceTimersByTimeAsync(1_000);
        else await calls.confirm(made, step);
      }
      // Every wait has an end: for the confirm, and for the reply.
      await jest.advanceTimersByTimeAsync(1_500);
      expect(all.filter(({ end }) => end === undefined)).toEqual([]);
      await calls.close();
      expect(jest.getTimerCount()).toBe(0);
      expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
      expectNobodyWaits(calls.waiters, 4);
    }),
  );
});
