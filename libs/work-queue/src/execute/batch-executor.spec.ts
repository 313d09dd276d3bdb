import { describe, expect, it, jest } from '@jest/globals';
import { IsString, ValidateBy } from 'class-validator';
import fc from 'fast-check';
import { fakeTimeInEachTest, gate, incoming, settled } from '../../../../test/support/fake-broker.js';
import type { IncomingMessage } from '../broker/broker.port.js';
import { BatchFailure } from '../errors/batch-failure.error.js';
import { DropWork } from '../errors/drop-work.error.js';
import { PermanentFailure } from '../errors/permanent-failure.error.js';
import { RetryLater } from '../errors/retry-later.error.js';
import { jsonCodec } from '../message/json.codec.js';
import { AttemptTimeout } from './attempt.js';
import { BatchContext } from './batch-context.js';
import { BatchExecutor } from './batch-executor.js';
import { Executor } from './executor.js';
import type { Execution, Outcome } from './outcome.js';
import type { PayloadType } from './payload-validator.js';
import { RunningAttempts } from './running-attempts.js';
import type { WorkContext } from './work-context.js';

const TIMEOUT_MS = 10_000;
const GRACE_MS = 30_000;
const WAIT_MS = 1_000;
const ERROR = new Error('no database');
const FAILED: Outcome = { kind: 'retry', attempts: 1, delayMs: WAIT_MS, error: ERROR };
const DONE: Outcome = { kind: 'succeeded', attempts: 1, result: undefined };

class Order {
  @IsString()
  readonly id: string;
}

/** A test has it take its time. */
let isKnown = async (_id: unknown): Promise<boolean> => true;

class SlowlyValidatedOrder {
  @ValidateBy({ name: 'isKnown', async: true, validator: { validate: (id: unknown) => isKnown(id) } })
  readonly id: string;
}

type Invoke = (payloads: unknown, context: BatchContext) => Promise<unknown>;

fakeTimeInEachTest();

function setUp(invoke: Invoke, { payloadType }: { payloadType?: PayloadType } = {}) {
  const stuckIds: Array<readonly string[]> = [];
  const limits = { label: 'Orders.take', timeoutMs: TIMEOUT_MS, graceMs: GRACE_MS };
  const running = new RunningAttempts(limits, ({ messageIds }) => stuckIds.push(messageIds));
  const handler = {
    queue: 'orders',
    label: 'Orders.take',
    payloadType,
    prefetch: undefined,
    concurrency: undefined,
    invoke: (payloads: unknown, context: WorkContext | BatchContext): Promise<unknown> => {
      if (!(context instanceof BatchContext)) throw new Error('not one of a batch');
      return invoke(payloads, context);
    },
  };
  const qos = { maxAttempts: 3, backoff: { initialMs: WAIT_MS, maxMs: 30_000, multiplier: 2 } };
  const executor = new Executor({ handler, qos, codec: jsonCodec, running, random: () => 0 });
  const batches = new BatchExecutor({ handler, running }, executor);
  const aborting = new AbortController();
  aborting.signal.addEventListener('abort', () => running.abandon(aborting.signal.reason), { once: true });
  /** A message each, called a, b, c ... */
  const execute = (...messages: ReadonlyArray<Partial<IncomingMessage>>): Promise<Execution[]> =>
    batches.execute(
      messages.map((message, index) => ({
        message: incoming({ body: bodyOf(idAt(index)), ...message }),
        messageId: idAt(index),
      })),
      aborting.signal,
    );
  const outcomesOf = async (...messages: ReadonlyArray<Partial<IncomingMessage>>): Promise<Outcome[]> =>
    (await execute(...messages)).map(({ outcome }) => outcome);
  return { execute, outcomesOf, running, stuckIds, abandon: (reason?: unknown) => aborting.abort(reason) };
}

function idAt(index: number): string {
  return String.fromCodePoint(97 + index);
}

function indexOf(id: string): number {
  return (id.codePointAt(0) ?? 0) - 97;
}

function bodyOf(id: unknown): Buffer {
  return Buffer.from(JSON.stringify({ id }));
}

function late(): Partial<IncomingMessage> {
  return { headers: { 'x-deadline': Date.now() } };
}

describe('a batch', () => {
  it('is handed over in one call, payloads and contexts in the order of the messages', async () => {
    const calls: Array<[unknown, BatchContext]> = [];
    const { outcomesOf } = setUp(async (...call) => void calls.push(call), { payloadType: Order });
    await outcomesOf({}, { headers: { 'x-attempts': 2 } }, {});
    expect(calls).toMatchObject([
      [
        [{ id: 'a' }, { id: 'b' }, { id: 'c' }],
        {
          queue: 'orders',
          items: [
            { messageId: 'a', attempt: 1 },
            { messageId: 'b', attempt: 3 },
            { messageId: 'c', attempt: 1 },
          ],
        },
      ],
    ]);
  });

  it('succeeds as a whole, each item with its own number of attempts and the time of all', async () => {
    const end = gate();
    const { execute } = setUp(() => end.promise);
    const executions = execute({}, { headers: { 'x-attempts': 2 } });
    await jest.advanceTimersByTimeAsync(1_500);
    end.open();
    expect(await executions).toEqual([
      { outcome: DONE, serviceTimeMs: 1_500 },
      { outcome: { ...DONE, attempts: 3 }, serviceTimeMs: 1_500 },
    ]);
  });

  it('gives each item its result when there is one for each', async () => {
    const { outcomesOf } = setUp(async () => [7, undefined, { total: 9 }]);
    expect(await outcomesOf({}, {}, {})).toEqual([
      { ...DONE, result: 7 },
      DONE,
      { ...DONE, result: { total: 9 } },
    ]);
  });

  it.each([[[7]], [[7, 8, 9]], [[]], ['xy'], [{ length: 2 }], [7], [null]])(
    'gives no item a result when the handler returns %p for two',
    async (results) => {
      const { outcomesOf } = setUp(async () => results);
      expect(await outcomesOf({}, {})).toEqual([DONE, DONE]);
    },
  );

  it('fails as a whole with any error, each item by its own attempts and deadline', async () => {
    const { outcomesOf } = setUp(() => Promise.reject(ERROR));
    expect(
      await outcomesOf(
        {},
        { headers: { 'x-attempts': 2 } },
        { headers: { 'x-deadline': Date.now() + WAIT_MS } },
      ),
    ).toEqual([
      FAILED,
      { kind: 'dead', reason: 'failed', attempts: 3, error: ERROR },
      { kind: 'dead', reason: 'expired', attempts: 1, error: ERROR },
    ]);
  });

  it('fails as a whole when the handler throws before it returns a promise', async () => {
    const { outcomesOf } = setUp(() => {
      throw ERROR;
    });
    expect(await outcomesOf({}, {})).toEqual([FAILED, FAILED]);
  });
});

describe('a bad item of a batch', () => {
  it('is left out of the call, and costs its neighbours nothing', async () => {
    const calls: unknown[] = [];
    const { execute } = setUp(
      async (payloads) => {
        calls.push(payloads);
        return ['B', 'E'];
      },
      { payloadType: Order },
    );
    const undecodable = { body: Buffer.from('{') };
    const invalid = { body: bodyOf(7) };
    expect(await execute(undecodable, {}, invalid, late(), {})).toMatchObject([
      { outcome: { kind: 'dead', reason: 'undecodable', attempts: 0 }, serviceTimeMs: undefined },
      { outcome: { kind: 'succeeded', result: 'B' }, serviceTimeMs: 0 },
      { outcome: { kind: 'dead', reason: 'invalid', attempts: 0 }, serviceTimeMs: undefined },
      { outcome: { kind: 'dead', reason: 'expired', attempts: 0 }, serviceTimeMs: undefined },
      { outcome: { kind: 'succeeded', result: 'E' }, serviceTimeMs: 0 },
    ]);
    expect(calls).toEqual([[{ id: 'b' }, { id: 'e' }]]);
  });

  it('is no reason to call the handler when there are no others', async () => {
    const invoke = jest.fn<Invoke>();
    const { outcomesOf } = setUp(invoke);
    expect(await outcomesOf({ body: Buffer.from('{') }, late())).toMatchObject([
      { reason: 'undecodable' },
      { reason: 'expired' },
    ]);
    expect(invoke).not.toHaveBeenCalled();
  });

  it('is also what expires while another is validated', async () => {
    const isValid = gate<boolean>();
    isKnown = async (id) => (id === 'b' ? isValid.promise : true);
    const calls: unknown[] = [];
    const { outcomesOf } = setUp(async (payloads) => void calls.push(payloads), {
      payloadType: SlowlyValidatedOrder,
    });
    const outcomes = outcomesOf({ headers: { 'x-deadline': Date.now() + 500 } }, {});
    await jest.advanceTimersByTimeAsync(500);
    isValid.open(true);
    expect(await outcomes).toMatchObject([{ kind: 'dead', reason: 'expired', attempts: 0 }, DONE]);
    expect(calls).toEqual([[{ id: 'b' }]]);
  });

  it('never changes what becomes of the others, whichever are bad and whichever fail', async () => {
    const item = fc.constantFrom('good', 'fails', 'undecodable', 'expired');
    await fc.assert(
      fc.asyncProperty(fc.array(item, { minLength: 1, maxLength: 10 }), async (items) => {
        const { outcomesOf } = setUp(async (_payloads, { items: handed }) => {
          const failing = [...handed.entries()].filter(
            ([, { messageId }]) => items[indexOf(messageId)] === 'fails',
          );
          if (failing.length > 0) throw new BatchFailure(new Map(failing.map(([index]) => [index, ERROR])));
        });
        const messages = items.map((kind) => {
          if (kind === 'undecodable') return { body: Buffer.from('{') };
          return kind === 'expired' ? late() : {};
        });
        expect(await outcomesOf(...messages)).toMatchObject(
          items.map((kind) => {
            if (kind === 'good') return DONE;
            return kind === 'fails' ? FAILED : { kind: 'dead', reason: kind };
          }),
        );
      }),
    );
  });
});

describe('a batch that failed in part', () => {
  it('is judged item by item, by the errors named; all others are done', async () => {
    const later = new RetryLater(1_500);
    const permanent = new PermanentFailure('no such customer');
    const drop = new DropWork('cancelled');
    const failures = new Map<number, unknown>([
      [1, ERROR],
      [2, permanent],
      [3, later],
      [4, drop],
      [5, undefined],
    ]);
    const { outcomesOf } = setUp(() => Promise.reject(new BatchFailure(failures)));
    expect(await outcomesOf({}, {}, {}, {}, {}, {}, {})).toEqual([
      DONE,
      FAILED,
      { kind: 'dead', reason: 'permanent', attempts: 1, error: permanent },
      { kind: 'defer', attempts: 0, delayMs: 2_000, error: later },
      { kind: 'dropped', attempts: 1, error: drop },
      { ...FAILED, error: undefined },
      DONE,
    ]);
  });

  it('counts positions in the array that was handed over, which bad items are not in', async () => {
    const { outcomesOf } = setUp(() => Promise.reject(new BatchFailure(new Map([[1, ERROR]]))));
    expect(await outcomesOf({ body: Buffer.from('{') }, {}, {}, {})).toMatchObject([
      { reason: 'undecodable' },
      DONE,
      FAILED,
      DONE,
    ]);
  });

  it.each([[[]], [[2]], [[-1]], [[0.5]], [[Number.NaN]], [[0, 7]]])(
    'failed as a whole when it names the positions %j of two',
    async (positions) => {
      const error = new BatchFailure(new Map(positions.map((position) => [position, ERROR])));
      const { outcomesOf } = setUp(() => Promise.reject(error));
      const failed = { ...FAILED, error };
      expect(await outcomesOf({}, {})).toEqual([failed, failed]);
    },
  );
});

describe('a batch past its timeout', () => {
  it('has the signals of all aborted, keeps its place until the handler ends, and then failed', async () => {
    const end = gate();
    const signals: AbortSignal[] = [];
    const { execute } = setUp((_payloads, context) => {
      signals.push(context.signal, ...context.items.map(({ signal }) => signal));
      return end.promise;
    });
    let executions: Execution[] | undefined;
    void execute({}, {}).then((ended) => (executions = ended));
    await jest.advanceTimersByTimeAsync(TIMEOUT_MS - 1);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false]);
    await jest.advanceTimersByTimeAsync(1);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
    await jest.advanceTimersByTimeAsync(GRACE_MS);
    expect(executions).toBeUndefined();
    end.open();
    await settled();
    const failed = { outcome: { ...FAILED, error: expect.any(AttemptTimeout) } };
    expect(executions).toMatchObject([failed, failed]);
  });

  it('has no item that succeeded late, as one message has not', async () => {
    const end = gate();
    const { outcomesOf } = setUp(() => end.promise);
    const outcomes = outcomesOf({}, {});
    await jest.advanceTimersByTimeAsync(TIMEOUT_MS);
    end.fail(new BatchFailure(new Map([[0, ERROR]])));
    expect(await outcomes).toEqual([FAILED, { ...FAILED, error: expect.any(AttemptTimeout) }]);
  });

  it('is stuck after the grace period, which is told once for all', async () => {
    const end = gate();
    const { outcomesOf, running, stuckIds } = setUp(() => end.promise);
    const outcomes = outcomesOf({}, {});
    await jest.advanceTimersByTimeAsync(TIMEOUT_MS + GRACE_MS);
    expect([running.stuckCount, stuckIds]).toEqual([1, [['a', 'b']]]);
    end.open();
    await outcomes;
    expect(running.stuckCount).toBe(0);
  });
});

describe('a batch of a process that must end', () => {
  it('is aborted and given back without blame', async () => {
    const { outcomesOf, abandon } = setUp(
      (_payloads, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    const outcomes = outcomesOf({}, { headers: { 'x-attempts': 2 } });
    await settled();
    abandon(new Error('the drain deadline has passed'));
    expect(await outcomes).toEqual([
      { kind: 'returned', attempts: 0 },
      { kind: 'returned', attempts: 2 },
    ]);
  });

  it('is not begun', async () => {
    const invoke = jest.fn<Invoke>();
    const { outcomesOf, abandon } = setUp(invoke);
    abandon();
    const returned = { kind: 'returned', attempts: 0 };
    expect(await outcomesOf({}, {})).toEqual([returned, returned]);
    expect(invoke).not.toHaveBeenCalled();
  });
});

it.each([
  ['a revoked proxy', revokedProxy],
  [
    'a BatchFailure without a map',
    () => Object.assign(new BatchFailure(new Map()), { failures: { 0: 'x' } }),
  ],
])('a batch handler that throws %s fails all of its items, and no slot is lost', async (_what, thrown) => {
  const { outcomesOf } = setUp(() => Promise.reject(thrown()));
  expect(await outcomesOf({}, {})).toMatchObject([{ kind: 'retry' }, { kind: 'retry' }]);
});

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe('a batch handler that empties the lists it was given', () => {
  it('has an outcome for each item all the same', async () => {
    const { outcomesOf } = setUp(async (payloads, { items }) => {
      for (const list of [payloads, items]) if (Array.isArray(list)) list.length = 0;
    });
    expect((await outcomesOf({}, {}, {})).map(({ kind }) => kind)).toEqual([
      'succeeded',
      'succeeded',
      'succeeded',
    ]);
  });
});
