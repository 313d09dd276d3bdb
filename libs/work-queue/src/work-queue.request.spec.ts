import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { endFakeTime, fakeableTimers, type SentMessage, settled } from '../../../test/support/fake-broker.js';
import type { OpenDoor } from '../../../test/support/open-door.js';
import type { ConfirmAnswer, IncomingReply } from './broker/broker.port.js';
import { ConfirmLostError } from './errors/confirm-lost.error.js';
import { ConfirmTimeoutError } from './errors/confirm-timeout.error.js';
import { IdempotencyConflictError } from './errors/idempotency-conflict.error.js';
import { InvalidMessageError } from './errors/invalid-message.error.js';
import { UnroutableError } from './errors/unroutable.error.js';
import { WorkFailedError } from './errors/work-failed.error.js';
import { jsonCodec } from './message/json.codec.js';
import type { ReplyWaiters } from './publish/reply-waiters.js';
import type { RequestOptions, RequestOutcome } from './work-queue.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const support = await import('../../../test/support/open-door.js');
const { RecentIds } = await import('./publish/recent-ids.js');
const waiting = await import('./publish/reply-waiters.js');
const { WorkQueue } = await import('./work-queue.js');

const WAIT = { waitMs: 500 };
const EMPTY: IncomingReply = {
  correlationId: undefined,
  body: Buffer.alloc(0),
  contentType: undefined,
  headers: {},
};

/** A call that was begun; its end is here once it has one. */
interface Call {
  end: RequestOutcome | Error | undefined;
  sent: SentMessage | undefined;
}

let opened: OpenDoor[];

beforeEach(() => {
  jest.useFakeTimers();
  opened = [];
});

afterEach(async () => {
  for (const orders of opened) await orders.close();
  endFakeTime();
});

async function setUp({ maxCallers = 10 } = {}) {
  const waiters = new waiting.ReplyWaiters(maxCallers);
  const orders = await support.OpenDoor.open({ window: 100 }, waiters);
  opened.push(orders);
  const { door, connection } = orders;
  const parts = { door, codec: jsonCodec, recentIds: new RecentIds(10), waiters, mayBeDropped: false };
  const queue = new WorkQueue('orders', parts);
  /** Begins a call; what became of it is in `end` once it has an end. */
  const call = async (options: Partial<RequestOptions> = {}, payload: unknown = { a: 1 }): Promise<Call> => {
    const made: Call = { end: undefined, sent: undefined };
    const before = new Set(orders.sent);
    void queue.request(payload, { ...WAIT, messageId: 'id-1', ...options }).then(
      (outcome) => (made.end = outcome),
      (error: Error) => (made.end = error),
    );
    await settled();
    made.sent = orders.sent.find((sent) => !before.has(sent));
    return made;
  };
  const confirm = async ({ sent }: Call, answer: ConfirmAnswer = 'acked'): Promise<void> => {
    sent?.answer(answer);
    await settled();
  };
  /** The worker's answer. */
  const reply = async ({ sent }: Call, content: Partial<IncomingReply> = json('done')): Promise<void> => {
    const correlationId = sent?.message.correlationId;
    connection.publishChannel.onReply?.({ ...EMPTY, correlationId, ...content });
    await settled();
  };
  return { orders, queue, waiters, call, confirm, reply };
}

function json(payload: unknown, headers: IncomingReply['headers'] = {}): Partial<IncomingReply> {
  return { body: Buffer.from(JSON.stringify(payload)), contentType: 'application/json', headers };
}

/** Asserts that nobody waits: as many callers as there may be find a place. */
function expectNobodyWaits(waiters: ReplyWaiters, capacity: number): void {
  for (let place = 0; place < capacity; place++) {
    expect(waiters.isFull).toBe(false);
    waiters.add(`place ${place}`);
  }
  expect(waiters.isFull).toBe(true);
}

const RECEIPT = { id: 'id-1', queue: 'orders', mayBeDropped: false };

describe('a call', () => {
  it('asks for a reply to itself, and ends with what the handler returned', async () => {
    const { call, confirm, reply } = await setUp();
    const made = await call();
    expect(made.sent?.message).toMatchObject({
      messageId: 'id-1',
      replyTo: 'amq.rabbitmq.reply-to',
      correlationId: expect.stringMatching(/^[\da-f-]{36}$/),
    });
    await confirm(made);
    expect(made.end).toBeUndefined();
    await reply(made, json({ total: 7 }));
    expect(made.end).toEqual({ receipt: RECEIPT, isDone: true, result: { total: 7 } });
  });

  it('of a handler that returns nothing ends with nothing', async () => {
    const { call, confirm, reply } = await setUp();
    const made = await call();
    await confirm(made);
    await reply(made, {});
    expect(made.end).toEqual({ receipt: RECEIPT, isDone: true, result: undefined });
  });

  it('gets its own reply, in whatever order they come', async () => {
    const { call, confirm, reply } = await setUp();
    const calls = [await call({ messageId: 'id-1' }), await call({ messageId: 'id-2' })];
    for (const made of calls) await confirm(made);
    for (const made of calls.toReversed()) await reply(made, json(made.sent?.message.messageId));
    expect(calls.map(({ end }) => end)).toMatchObject([{ result: 'id-1' }, { result: 'id-2' }]);
  });

  it('whose reply is here before the confirm ends with the confirm', async () => {
    const { call, confirm, reply } = await setUp();
    const made = await call();
    await reply(made);
    expect(made.end).toBeUndefined();
    await confirm(made);
    expect(made.end).toMatchObject({ isDone: true, result: 'done' });
  });

  it('fails when its work was dead-lettered, and says why', async () => {
    const { call, confirm, reply } = await setUp();
    const made = await call();
    await confirm(made);
    await reply(made, json({ error: 'TypeError' }, { 'x-reply-failed': 'permanent' }));
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
    const { call, confirm, reply } = await setUp();
    const made = await call();
    await confirm(made);
    await reply(made, json({ error: 'TypeError' }, { 'x-reply-failed': 'unserialisable' }));
    expect(made.end).toEqual({ receipt: RECEIPT, isDone: false, because: 'reply-lost' });
  });

  it('is refused as any publish is, and waits for nothing then', async () => {
    const { call, confirm } = await setUp();
    const made = await call();
    await confirm(made, 'returned');
    expect(made.end).toBeInstanceOf(UnroutableError);
  });

  it('is refused for an id that was used for other work', async () => {
    const { call, confirm } = await setUp();
    await confirm(await call());
    const other = await call({}, { a: 2 });
    expect(other).toMatchObject({ end: expect.any(IdempotencyConflictError), sent: undefined });
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY, 2 ** 31])(
    'cannot wait %p ms, and nothing is sent',
    async (waitMs) => {
      const { call } = await setUp();
      const made = await call({ waitMs });
      expect(made).toMatchObject({ end: expect.any(InvalidMessageError), sent: undefined });
      expect(made.end).toHaveProperty('message', expect.stringContaining('expected waitMs to be 0 to'));
    },
  );
});

describe('who calls', () => {
  it('waits as long as it said, counted from the call', async () => {
    const { call, confirm, reply } = await setUp();
    const made = await call();
    await jest.advanceTimersByTimeAsync(300);
    await confirm(made);
    await jest.advanceTimersByTimeAsync(199);
    expect(made.end).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1);
    expect(made.end).toEqual({ receipt: RECEIPT, isDone: false, because: 'time-is-up' });
    await reply(made);
  });

  it('who waits 0 ms gets the receipt', async () => {
    const { call, confirm } = await setUp();
    const made = await call({ waitMs: 0 });
    await confirm(made);
    await jest.advanceTimersByTimeAsync(1);
    expect(made.end).toMatchObject({ isDone: false, because: 'time-is-up' });
  });

  it('who waited too long for the confirm gets a reply that is here', async () => {
    const { call, confirm, reply } = await setUp();
    const made = await call();
    await reply(made);
    await jest.advanceTimersByTimeAsync(900);
    await confirm(made);
    expect(made.end).toMatchObject({ isDone: true, result: 'done' });
  });

  it('may go while waiting; the work goes on', async () => {
    const { call, confirm } = await setUp();
    const caller = new AbortController();
    const made = await call({ signal: caller.signal });
    await confirm(made);
    caller.abort();
    await settled();
    expect(made.end).toEqual({ receipt: RECEIPT, isDone: false, because: 'caller-gone' });
  });

  it('may be gone before the confirm', async () => {
    const { call, confirm } = await setUp();
    const made = await call({ signal: AbortSignal.abort() });
    expect(made.end).toBeUndefined();
    await confirm(made);
    expect(made.end).toMatchObject({ isDone: false, because: 'caller-gone' });
  });

  it('does not wait when as many do as may; its work is stored all the same', async () => {
    const { call, confirm, reply } = await setUp({ maxCallers: 1 });
    const first = await call();
    const second = await call({ messageId: 'id-2' });
    expect(second.sent?.message).not.toHaveProperty('replyTo');
    await confirm(second);
    expect(second.end).toEqual({
      receipt: { ...RECEIPT, id: 'id-2' },
      isDone: false,
      because: 'too-many-waiting',
    });
    await confirm(first);
    await reply(first);
    expect(first.end).toMatchObject({ isDone: true });
    expect((await call({ messageId: 'id-3' })).sent?.message).toHaveProperty('replyTo');
  });
});

describe('a call that the broker does not confirm', () => {
  it.each([
    ['silence', ConfirmTimeoutError],
    ['a lost connection', ConfirmLostError],
  ])('is unknown after %s without a reply', async (how, errorClass) => {
    const { orders, call } = await setUp();
    const made = await call();
    if (how === 'silence') await jest.advanceTimersByTimeAsync(1_000);
    else orders.connection.lose();
    await settled();
    expect(made.end).toBeInstanceOf(errorClass);
  });

  it.each(['silence', 'a lost connection'])('is done after %s when its reply is here', async (how) => {
    const { orders, call, reply } = await setUp();
    const made = await call();
    await reply(made);
    if (how === 'silence') await jest.advanceTimersByTimeAsync(1_000);
    else orders.connection.lose();
    await settled();
    expect(made.end).toEqual({ receipt: RECEIPT, isDone: true, result: 'done' });
  });

  it('has failed when its reply says so', async () => {
    const { orders, call, reply } = await setUp();
    const made = await call();
    await reply(made, json({ error: 'Error' }, { 'x-reply-failed': 'failed' }));
    orders.connection.lose();
    await settled();
    expect(made.end).toBeInstanceOf(WorkFailedError);
  });

  it('keeps its id from being used for other work', async () => {
    const { orders, call } = await setUp();
    await call();
    orders.connection.lose();
    orders.connection.comeBack();
    await jest.advanceTimersByTimeAsync(200);
    expect((await call({}, { a: 2 })).end).toBeInstanceOf(IdempotencyConflictError);
  });
});

describe('the channel that replies come to', () => {
  it('takes the replies with it when it is lost', async () => {
    const { orders, call, confirm } = await setUp();
    const made = await call();
    await confirm(made);
    orders.connection.publishChannel.end('closed by the broker');
    await settled();
    expect(made.end).toEqual({ receipt: RECEIPT, isDone: false, because: 'reply-lost' });
  });

  it('is opened anew for later calls', async () => {
    const { orders, call, confirm, reply } = await setUp();
    await confirm(await call());
    orders.connection.lose();
    orders.connection.comeBack();
    await jest.advanceTimersByTimeAsync(200);
    const made = await call({ messageId: 'id-2' });
    await confirm(made);
    await reply(made);
    expect(made.end).toMatchObject({ isDone: true });
  });

  it('is none that other messages are published on', async () => {
    const { orders, queue, call, confirm } = await setUp();
    await confirm(await call());
    void queue.publish({ a: 1 });
    const [plain, calls] = orders.connection.publishChannels;
    expect([plain?.sent.length, calls?.sent.length]).toEqual([1, 1]);
    expect(plain?.onReply).toBeUndefined();
  });

  it('is made again for the next call when it could not be opened', async () => {
    const { orders, call } = await setUp();
    orders.connection.beforeOpen = () => Promise.reject(new Error('channel limit'));
    expect((await call()).end).toMatchObject({ reason: 'broker-unavailable' });
    orders.connection.beforeOpen = () => Promise.resolve();
    expect((await call()).sent).toBeDefined();
  });

  it('drops a reply that nobody waits for', async () => {
    const { orders, call, confirm, reply } = await setUp();
    const made = await call();
    orders.connection.publishChannel.onReply?.({ ...EMPTY, correlationId: 'nobody' });
    orders.connection.publishChannel.onReply?.(EMPTY);
    await confirm(made);
    await reply(made);
    await reply(made, json('again'));
    expect(made.end).toMatchObject({ result: 'done' });
  });
});

/** What can happen to a call, from the broker, the worker, the caller and the clock. */
const STEPS = ['acked', 'nacked', 'returned', 'reply', 'failure', 'abort', 'lose', '100 ms', '1 s'] as const;

it('no call leaves a timer, a listener or a waiter behind, whatever happens to it', async () => {
  const steps = fc.array(fc.tuple(fc.constantFrom(...STEPS), fc.nat({ max: 4 })), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const { orders, waiters, call, confirm, reply } = await setUp({ maxCallers: 4 });
      const caller = new AbortController();
      const calls: Call[] = [];
      for (let made = 0; made < 5; made++)
        calls.push(await call({ messageId: `id-${made}`, signal: caller.signal }));
      for (const [step, index] of script) {
        const made = calls[index];
        if (!made) continue;
        if (step === 'reply') await reply(made);
        else if (step === 'failure') await reply(made, json({}, { 'x-reply-failed': 'failed' }));
        else if (step === 'abort') caller.abort();
        else if (step === 'lose') orders.connection.lose();
        else if (step === '100 ms') await jest.advanceTimersByTimeAsync(100);
        else if (step === '1 s') await jest.advanceTimersByTimeAsync(1_000);
        else await confirm(made, step);
      }
      // Every wait has an end: for the confirm, and for the reply.
      await jest.advanceTimersByTimeAsync(1_500);
      expect(calls.filter(({ end }) => end === undefined)).toEqual([]);
      await orders.close();
      expect(jest.getTimerCount()).toBe(0);
      expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
      expectNobodyWaits(waiters, 4);
    }),
  );
});
