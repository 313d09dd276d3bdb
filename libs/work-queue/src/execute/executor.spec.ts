import { describe, expect, it, jest } from '@jest/globals';
import { IsString, ValidateBy } from 'class-validator';
import fc from 'fast-check';
import { fakeTimeInEachTest, gate, incoming, settled } from '../../../../test/support/fake-broker.js';
import type { IncomingMessage } from '../broker/broker.port.js';
import { RetryLater } from '../errors/retry-later.error.js';
import type { ReceivedMessage } from '../message/codec.js';
import { jsonCodec } from '../message/json.codec.js';
import { AttemptTimeout } from './attempt.js';
import type { BatchContext } from './batch-context.js';
import { Executor } from './executor.js';
import type { Execution, Outcome } from './outcome.js';
import type { PayloadType } from './payload-validator.js';
import { RunningAttempts } from './running-attempts.js';
import type { RunInThread } from './run-in-thread.js';
import { WorkContext } from './work-context.js';

const TIMEOUT_MS = 10_000;
const GRACE_MS = 30_000;
const WAIT_MS = 1_000;
const BACKOFF = { initialMs: WAIT_MS, maxMs: 30_000, multiplier: 2 };

class Order {
  @IsString()
  readonly id: string;
}

class SlowlyValidatedOrder {
  @ValidateBy({
    name: 'isKnown',
    async: true,
    validator: { validate: () => isKnown() },
  })
  readonly id: string;
}

/** A test has it take its time. */
let isKnown = async (): Promise<boolean> => true;

type Invoke = (payload: unknown, context: WorkContext) => Promise<unknown>;

interface Setup {
  readonly payloadType?: PayloadType;
  readonly maxAttempts?: number;
  readonly decode?: (message: ReceivedMessage) => unknown;
  readonly runInThread?: RunInThread;
}

fakeTimeInEachTest();

function setUp(invoke: Invoke, { payloadType, maxAttempts = 3, decode, runInThread }: Setup = {}) {
  const limits = { label: 'Orders.take', timeoutMs: TIMEOUT_MS, graceMs: GRACE_MS };
  const running = new RunningAttempts(limits, () => undefined);
  const handler = {
    queue: 'orders',
    label: 'Orders.take',
    payloadType,
    prefetch: undefined,
    concurrency: undefined,
    invoke: (payload: unknown, context: WorkContext | BatchContext): Promise<unknown> => {
      if (!(context instanceof WorkContext)) throw new Error('not a batch');
      return invoke(payload, context);
    },
  };
  const codec = decode ? { ...jsonCodec, decode } : jsonCodec;
  const qos = { maxAttempts, backoff: BACKOFF };
  const aborting = new AbortController();
  const stopping = new AbortController();
  const executor = new Executor({
    handler,
    qos,
    codec,
    running,
    runInThread,
    stopping: stopping.signal,
    random: () => 0,
  });
  // As the pipeline wires it.
  aborting.signal.addEventListener('abort', () => running.abandon(aborting.signal.reason), { once: true });
  const execute = (message: Partial<IncomingMessage> = {}): Promise<Execution> =>
    executor.execute(
      { message: incoming({ body: Buffer.from('{"id":"7"}'), ...message }), messageId: 'id-1' },
      aborting.signal,
    );
  const outcomeOf = async (message: Partial<IncomingMessage> = {}): Promise<Outcome> =>
    (await execute(message)).outcome;
  return { stopping, execute, outcomeOf, running, abandon: (reason?: unknown) => aborting.abort(reason) };
}

function withHeader(name: string, value: unknown): { headers: Record<string, unknown> } {
  return { headers: { [name]: value } };
}

function dueIn(ms: number): { headers: Record<string, unknown> } {
  return withHeader('x-deadline', Date.now() + ms);
}

describe('executing a message', () => {
  it('hands the handler the decoded payload and what is known of the message', async () => {
    const calls: Array<[unknown, WorkContext]> = [];
    const { outcomeOf } = setUp(async (...call) => void calls.push(call));
    expect(await outcomeOf({ headers: { 'x-sent': 1_000 }, isRedelivered: true })).toMatchObject({
      kind: 'succeeded',
      attempts: 1,
    });
    expect(calls).toMatchObject([
      [
        { id: '7' },
        { queue: 'orders', messageId: 'id-1', isRedelivered: true, attempt: 1, publishedAt: new Date(1_000) },
      ],
    ]);
  });

  it('keeps what the handler returns', async () => {
    const result = { total: 7 };
    const { outcomeOf } = setUp(async () => result);
    expect(await outcomeOf()).toEqual({ kind: 'succeeded', attempts: 1, result });
  });

  it('makes an instance of the DTO of it', async () => {
    const payloads: unknown[] = [];
    const { outcomeOf } = setUp(async (payload) => void payloads.push(payload), { payloadType: Order });
    await outcomeOf();
    expect(payloads[0]).toBeInstanceOf(Order);
  });

  it('lets the handler run its threads, with the signal of the attempt', async () => {
    const runInThread = jest.fn<RunInThread>(async () => 'done');
    let signal: AbortSignal | undefined;
    const { outcomeOf } = setUp(
      (_payload, context) => {
        signal = context.signal;
        return context.inThread(7);
      },
      { runInThread },
    );
    expect(await outcomeOf()).toMatchObject({ result: 'done' });
    const [input, options] = runInThread.mock.calls[0] ?? [];
    expect(input).toBe(7);
    expect(options?.signal).toBe(signal);
  });

  it('tells how long the handler ran', async () => {
    const end = gate();
    const { execute } = setUp(() => end.promise);
    const execution = execute();
    await jest.advanceTimersByTimeAsync(1_500);
    end.open();
    expect(await execution).toMatchObject({ serviceTimeMs: 1_500 });
  });

  it('tells how long the handler ran, also when it failed', async () => {
    const end = gate();
    const { execute } = setUp(() => end.promise);
    const execution = execute();
    await jest.advanceTimersByTimeAsync(1_500);
    end.fail(new Error('no'));
    expect(await execution).toMatchObject({ outcome: { kind: 'retry' }, serviceTimeMs: 1_500 });
  });

  it('never calls the handler with a payload that is not its DTO', async () => {
    const invoke = jest.fn<Invoke>();
    const { execute } = setUp(invoke, { payloadType: Order });
    expect(await execute({ body: Buffer.from('{"id":7}') })).toMatchObject({
      outcome: {
        kind: 'dead',
        reason: 'invalid',
        attempts: 0,
        error: { message: expect.stringContaining('id must be a string') },
      },
      serviceTimeMs: undefined,
    });
    expect(invoke).not.toHaveBeenCalled();
  });

  it('never calls the handler with bytes that make no sense', async () => {
    const invoke = jest.fn<Invoke>();
    const { execute } = setUp(invoke);
    expect(await execute({ body: Buffer.from('{') })).toEqual({
      outcome: { kind: 'dead', reason: 'undecodable', attempts: 0, error: expect.any(SyntaxError) },
      serviceTimeMs: undefined,
    });
    expect(invoke).not.toHaveBeenCalled();
  });

  it('calls undecodable whatever its codec throws on, and says after how many attempts', async () => {
    const decode = (): never => {
      throw new Error('not ours');
    };
    const { outcomeOf } = setUp(async () => undefined, { decode });
    expect(await outcomeOf(withHeader('x-attempts', 2))).toEqual({
      kind: 'dead',
      reason: 'undecodable',
      attempts: 2,
      error: new Error('not ours'),
    });
  });

  it('never throws, whatever the handler throws, and leaves no timer behind', async () => {
    const thrown = fc.oneof(
      fc.anything({ withNullPrototype: true }),
      fc.constantFrom(undefined, null, Symbol('s')),
    );
    await fc.assert(
      fc.asyncProperty(thrown, fc.boolean(), async (error, isSynchronous) => {
        const { outcomeOf } = setUp(() => {
          if (isSynchronous) throw error;
          return Promise.reject(error);
        });
        expect(await outcomeOf()).toEqual({ kind: 'retry', attempts: 1, delayMs: WAIT_MS, error });
        expect(jest.getTimerCount()).toBe(0);
      }),
    );
  });
});

it('a thrown value that cannot even be looked at is a failed attempt like any other', async () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const { outcomeOf } = setUp(() => Promise.reject(proxy));
  expect(await outcomeOf()).toMatchObject({
    kind: 'retry',
    attempts: 1,
    error: new TypeError('the handler threw a value that cannot be read'),
  });
});

it('a validator that fails itself is a failed attempt, and says nothing of the payload', async () => {
  isKnown = () => Promise.reject(new Error('no database'));
  const { outcomeOf } = setUp(async () => undefined, { payloadType: SlowlyValidatedOrder });
  expect(await outcomeOf()).toMatchObject({ kind: 'retry', attempts: 1, error: new Error('no database') });
});

describe('the number of an attempt', () => {
  it.each([
    [1, 2],
    [2, 3],
  ])('goes on from the %p in the header to %p', async (failed, attempt) => {
    const attempts: number[] = [];
    const { outcomeOf } = setUp(async (_payload, context) => void attempts.push(context.attempt));
    expect(await outcomeOf(withHeader('x-attempts', failed))).toMatchObject({ attempts: attempt });
    expect(attempts).toEqual([attempt]);
  });

  it.each([undefined, null, 0, -3, 1.5, Number.NaN, Infinity, 2 ** 53, '2', true, [2], { '!': 'int' }, 2n])(
    'starts at 1 with %p in the header',
    async (header) => {
      const { outcomeOf } = setUp(async () => undefined);
      expect(await outcomeOf(withHeader('x-attempts', header))).toMatchObject({ attempts: 1 });
    },
  );

  it('ends the work at the last one, over as many deliveries as it took', async () => {
    let calls = 0;
    const { outcomeOf } = setUp(async () => {
      throw new Error(`attempt ${++calls}`);
    });
    let outcome = await outcomeOf();
    while (outcome.kind === 'retry' && calls < 10)
      outcome = await outcomeOf(withHeader('x-attempts', outcome.attempts));
    const error = new Error('attempt 3');
    expect(outcome).toEqual({ kind: 'dead', reason: 'failed', attempts: 3, error });
  });

  it('ends work that failed more often than is allowed now, after one more try', async () => {
    const { outcomeOf } = setUp(() => Promise.reject(new Error('no')), { maxAttempts: 1 });
    const outcome = await outcomeOf(withHeader('x-attempts', Number.MAX_SAFE_INTEGER));
    expect(outcome).toMatchObject({ kind: 'dead', reason: 'failed' });
  });

  it('stays as it is when the handler asks for a later attempt', async () => {
    const error = new RetryLater(WAIT_MS);
    const { outcomeOf } = setUp(() => Promise.reject(error));
    const outcome = await outcomeOf(withHeader('x-attempts', 2));
    expect(outcome).toEqual({ kind: 'defer', attempts: 2, delayMs: WAIT_MS, error });
  });
});

describe('an attempt past its timeout', () => {
  it('has its signal aborted, keeps its place until the handler ends, and then counts as failed', async () => {
    const end = gate();
    let signal: AbortSignal | undefined;
    const { execute } = setUp((_payload, context) => {
      signal = context.signal;
      return end.promise;
    });
    let execution: Execution | undefined;
    void execute().then((ended) => (execution = ended));
    await jest.advanceTimersByTimeAsync(TIMEOUT_MS - 1);
    expect(signal?.aborted).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(signal?.reason).toBeInstanceOf(AttemptTimeout);
    await jest.advanceTimersByTimeAsync(10 * GRACE_MS);
    expect(execution).toBeUndefined();
    end.open();
    await settled();
    expect(execution).toEqual({
      outcome: { kind: 'retry', attempts: 1, delayMs: WAIT_MS, error: signal?.reason },
      serviceTimeMs: TIMEOUT_MS + 10 * GRACE_MS,
    });
  });

  it('counts as failed though it succeeds, also when nobody asked for its signal', async () => {
    const end = gate();
    const { outcomeOf } = setUp(() => end.promise, { maxAttempts: 1 });
    const outcome = outcomeOf();
    await jest.advanceTimersByTimeAsync(TIMEOUT_MS);
    end.open();
    expect(await outcome).toMatchObject({
      kind: 'dead',
      reason: 'failed',
      error: { name: 'AttemptTimeout' },
    });
  });

  it('keeps its own error when it ends with one', async () => {
    const end = gate();
    const { outcomeOf } = setUp(() => end.promise);
    const outcome = outcomeOf();
    await jest.advanceTimersByTimeAsync(TIMEOUT_MS);
    end.fail(new Error('half way'));
    expect(await outcome).toMatchObject({ kind: 'retry', error: new Error('half way') });
  });

  it('is stuck after the grace period, until it ends', async () => {
    const end = gate();
    const { execute, running } = setUp(() => end.promise);
    const execution = execute();
    await jest.advanceTimersByTimeAsync(TIMEOUT_MS + GRACE_MS);
    expect(running.stuckCount).toBe(1);
    end.open();
    await execution;
    expect(running.stuckCount).toBe(0);
  });
});

describe('the signal of an attempt', () => {
  it('is made only for a handler that asks for it', async () => {
    const { outcomeOf } = setUp(async (payload, context) =>
      payload === null ? undefined : context.signal.throwIfAborted(),
    );
    const RealController = AbortController;
    const made = jest.spyOn(globalThis, 'AbortController').mockImplementation(() => new RealController());
    await outcomeOf({ body: Buffer.from('null') });
    expect(made).not.toHaveBeenCalled();
    await outcomeOf();
    expect(made).toHaveBeenCalledTimes(1);
    made.mockRestore();
  });

  it('is another one for each attempt', async () => {
    const signals: AbortSignal[] = [];
    const { outcomeOf } = setUp(async (_payload, { signal }) => void signals.push(signal));
    await outcomeOf();
    await outcomeOf();
    expect(new Set(signals).size).toBe(2);
  });
});

describe('work with a deadline', () => {
  it('is not started when that has passed', async () => {
    const invoke = jest.fn<Invoke>();
    const { execute } = setUp(invoke);
    expect(await execute(dueIn(0))).toEqual({
      outcome: {
        kind: 'dead',
        reason: 'expired',
        attempts: 0,
        error: expect.objectContaining({ name: 'DeadlinePassed' }),
      },
      serviceTimeMs: undefined,
    });
    expect(invoke).not.toHaveBeenCalled();
  });

  it('says after how many attempts it expired', async () => {
    const { outcomeOf } = setUp(async () => undefined);
    const headers = { ...dueIn(0).headers, 'x-attempts': 2 };
    expect(await outcomeOf({ headers })).toMatchObject({ reason: 'expired', attempts: 2 });
  });

  it('is expired rather than undecodable when it is both: nobody would have looked at it', async () => {
    const { outcomeOf } = setUp(async () => undefined);
    expect(await outcomeOf({ ...dueIn(0), body: Buffer.from('{') })).toMatchObject({ reason: 'expired' });
  });

  it('is started in time, told the deadline, and may end after it', async () => {
    const message = dueIn(1);
    const end = gate();
    const deadlines: unknown[] = [];
    const { outcomeOf } = setUp((_payload, { deadline }) => {
      deadlines.push(deadline?.getTime());
      return end.promise;
    });
    const outcome = outcomeOf(message);
    await jest.advanceTimersByTimeAsync(5_000);
    end.open();
    expect(await outcome).toMatchObject({ kind: 'succeeded' });
    expect(deadlines).toEqual([message.headers['x-deadline']]);
  });

  it('is dead at once, with its error, when another attempt would begin too late', async () => {
    const error = new Error('no database');
    const { outcomeOf } = setUp(() => Promise.reject(error));
    expect(await outcomeOf(dueIn(WAIT_MS))).toEqual({ kind: 'dead', reason: 'expired', attempts: 1, error });
    expect(await outcomeOf(dueIn(WAIT_MS + 1))).toMatchObject({ kind: 'retry' });
  });

  it('is not started when it passes while the payload is validated', async () => {
    const invoke = jest.fn<Invoke>();
    const isValid = gate<boolean>();
    isKnown = () => isValid.promise;
    const { outcomeOf } = setUp(invoke, { payloadType: SlowlyValidatedOrder });
    const outcome = outcomeOf(dueIn(500));
    await jest.advanceTimersByTimeAsync(500);
    isValid.open(true);
    expect(await outcome).toMatchObject({ kind: 'dead', reason: 'expired', attempts: 0 });
    expect(invoke).not.toHaveBeenCalled();
  });
});

describe('a process that must end', () => {
  it('aborts the signal and blames no handler for failing then, not even on its last attempt', async () => {
    const { outcomeOf, abandon } = setUp(
      (_payload, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      { maxAttempts: 1 },
    );
    const outcome = outcomeOf();
    await settled();
    abandon(new Error('the drain deadline has passed'));
    expect(await outcome).toEqual({ kind: 'returned', attempts: 0 });
  });

  it('counts a success as one', async () => {
    const end = gate();
    const { outcomeOf, abandon } = setUp(() => end.promise);
    const outcome = outcomeOf();
    await settled();
    abandon();
    await jest.advanceTimersByTimeAsync(TIMEOUT_MS);
    end.open();
    expect(await outcome).toMatchObject({ kind: 'succeeded', attempts: 1 });
  });

  it('starts no attempt', async () => {
    const invoke = jest.fn<Invoke>();
    const { execute, abandon } = setUp(invoke);
    abandon();
    expect(await execute(withHeader('x-attempts', 1))).toEqual({
      outcome: { kind: 'returned', attempts: 1 },
      serviceTimeMs: undefined,
    });
    expect(invoke).not.toHaveBeenCalled();
  });

  it('starts no attempt for what was validated meanwhile', async () => {
    const invoke = jest.fn<Invoke>();
    const isValid = gate<boolean>();
    isKnown = () => isValid.promise;
    const { outcomeOf, abandon } = setUp(invoke, { payloadType: SlowlyValidatedOrder });
    const outcome = outcomeOf();
    await settled();
    abandon();
    isValid.open(true);
    expect(await outcome).toEqual({ kind: 'returned', attempts: 0 });
    expect(invoke).not.toHaveBeenCalled();
  });

  it('starts no attempt for what was validated after it was told to stop', async () => {
    const invoke = jest.fn<Invoke>();
    const isValid = gate<boolean>();
    isKnown = () => isValid.promise;
    const { outcomeOf, stopping } = setUp(invoke, { payloadType: SlowlyValidatedOrder });
    const outcome = outcomeOf();
    await settled();
    stopping.abort();
    isValid.open(true);
    expect(await outcome).toEqual({ kind: 'returned', attempts: 0 });
    expect(invoke).not.toHaveBeenCalled();
  });

  it('finds nothing left behind on its signal by the attempts of a lifetime', async () => {
    const any = jest.spyOn(AbortSignal, 'any');
    const added = jest.spyOn(AbortSignal.prototype, 'addEventListener');
    const { outcomeOf } = setUp(async (_payload, { signal }) => signal.aborted);
    const before = added.mock.calls.length;
    await outcomeOf();
    expect(added.mock.calls.length).toBe(before);
    // Node 20 keeps an entry per call of `any` for as long as its longest-lived signal lives.
    expect(any).not.toHaveBeenCalled();
    any.mockRestore();
    added.mockRestore();
  });
});

describe('the bytes of a message', () => {
  const bytes = () => ({ body: Buffer.from('photograph'), contentType: 'application/octet-stream' });

  it.each<[string, Setup]>([
    ['our own codec', {}],
    ['a codec of others', { decode: ({ body }) => body }],
  ])('stay what they were whatever a handler does to what %s made of them', async (_what, setup) => {
    const message = bytes();
    const { outcomeOf } = setUp(async (payload, { body }) => {
      if (!(payload instanceof Buffer)) throw new Error('not bytes');
      payload.fill(0);
      body.fill(0);
      // As handed over to a thread: of what others share it would take the memory away.
      structuredClone(payload, { transfer: [payload.buffer] });
      expect([payload.length, body.length]).toEqual([0, 10]);
    }, setup);
    expect(await outcomeOf(message)).toMatchObject({ kind: 'succeeded' });
    expect(message.body.toString()).toBe('photograph');
  });
});

describe('what a codec answers with', () => {
  it('is undecodable when it is a promise, and a rejection of it is nobody’s crash', async () => {
    const { outcomeOf } = setUp(async () => undefined, { decode: () => Promise.reject(new Error('late')) });
    expect(await outcomeOf()).toMatchObject({
      kind: 'dead',
      reason: 'undecodable',
      error: expect.objectContaining({ message: expect.stringContaining('got: a promise') }),
    });
  });
});

describe('a validation', () => {
  it('that takes longer than the timeout fails the attempt, and the handler is not called', async () => {
    const known = gate();
    isKnown = async () => known.promise.then(() => true);
    const invoke = jest.fn(async () => undefined);
    const { outcomeOf, running } = setUp(invoke, { payloadType: SlowlyValidatedOrder });
    const outcome = outcomeOf();
    await jest.advanceTimersByTimeAsync(TIMEOUT_MS + GRACE_MS);
    expect(running.stuckCount).toBe(1);
    known.open();
    expect(await outcome).toMatchObject({ kind: 'retry', attempts: 1, error: expect.any(AttemptTimeout) });
    expect([invoke.mock.calls.length, running.stuckCount]).toEqual([0, 0]);
    isKnown = async () => true;
  });

  it('that fails with what cannot be looked at is tried again like any failure', async () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    isKnown = () => Promise.reject(proxy);
    const { outcomeOf } = setUp(async () => undefined, { payloadType: SlowlyValidatedOrder });
    expect(await outcomeOf()).toMatchObject({ kind: 'retry', attempts: 1 });
    isKnown = async () => true;
  });
});
