import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { resolveQueueQos, type QueueQos } from '@spillway/qos';
import { IsString } from 'class-validator';
import fc from 'fast-check';
import {
  fakeableTimers,
  gate,
  incoming,
  RecordingTelemetry,
  settled,
  endFakeTime,
} from '../../../../test/support/fake-broker.js';
import type { IncomingMessage } from '../broker/broker.port.js';
import { PermanentFailure } from '../errors/permanent-failure.error.js';
import { jsonCodec } from '../message/json.codec.js';
import { AttemptTimeout } from './attempt.js';
import type { Outcome } from './outcome.js';
import type { PayloadType } from './payload-validator.js';
import type { WorkContext } from './work-context.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { Executor } = await import('./executor.js');

class Order {
  @IsString()
  readonly id: string;
}

type Invoke = (payload: unknown, context: WorkContext) => Promise<unknown>;

function qos(options: object = {}): QueueQos {
  const backoff = { initial: '1s', max: '30s', multiplier: 2 };
  const resolved = resolveQueueQos('orders', {
    maxLength: 100,
    maxAttempts: 3,
    timeout: '10s',
    backoff,
    ...options,
  });
  if (!resolved.ok) throw new Error(resolved.problems.map(({ message }) => message).join());
  return resolved.qos;
}

function setUp(
  invoke: Invoke,
  { payloadType, options }: { payloadType?: PayloadType; options?: object } = {},
) {
  const telemetry = new RecordingTelemetry();
  const handler = {
    queue: 'orders',
    label: 'Orders.take',
    payloadType,
    prefetch: undefined,
    concurrency: undefined,
    invoke,
  };
  // The lower end of the jitter: half the ceiling.
  const executor = new Executor(handler, qos(options), jsonCodec, telemetry, () => 0);
  const stopping = new AbortController();
  const abandoned = new AbortController();
  const signals = { stopping: stopping.signal, abandoned: abandoned.signal };
  const execute = (message: Partial<IncomingMessage> = {}): Promise<Outcome> =>
    executor.execute(incoming({ body: Buffer.from('{"id":"7"}'), ...message }), 'id-1', signals);
  return { execute, telemetry, stopping, abandoned };
}

function dueIn(ms: number): { headers: { 'x-deadline': number } } {
  return { headers: { 'x-deadline': Date.now() + ms } };
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(endFakeTime);

describe('executing a message', () => {
  it('hands the handler the decoded payload and what is known of the message', async () => {
    const calls: Array<[unknown, WorkContext]> = [];
    const { execute } = setUp(async (...call) => void calls.push(call));
    expect(await execute({ headers: { 'x-sent': 1_000 }, isRedelivered: true })).toMatchObject({
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
    const { execute } = setUp(async () => result);
    expect(await execute()).toEqual({ kind: 'succeeded', attempts: 1, result });
  });

  it('makes an instance of the DTO of it', async () => {
    const payloads: unknown[] = [];
    const { execute } = setUp(async (payload) => void payloads.push(payload), { payloadType: Order });
    await execute();
    expect(payloads[0]).toBeInstanceOf(Order);
  });

  it('tries again after each failure, with the backoff of the queue', async () => {
    const startedAt: number[] = [];
    const began = Date.now();
    const { execute, telemetry } = setUp(async (_payload, { attempt }) => {
      startedAt.push(Date.now() - began);
      if (attempt < 3) throw new Error(`attempt ${attempt}`);
    });
    const outcome = execute();
    await jest.advanceTimersByTimeAsync(1_500);
    expect(await outcome).toMatchObject({ kind: 'succeeded', attempts: 3 });
    expect(startedAt).toEqual([0, 500, 1_500]);
    expect(telemetry.named('attempt.failed')).toMatchObject([
      { queue: 'orders', messageId: 'id-1', attempt: 1, retryInMs: 500 },
      { attempt: 2, retryInMs: 1_000 },
    ]);
  });

  it('gives up after exactly as many attempts as allowed, with the last error', async () => {
    let attempts = 0;
    const { execute } = setUp(async () => {
      throw new Error(`attempt ${++attempts}`);
    });
    const outcome = execute();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(await outcome).toEqual({
      kind: 'dead',
      reason: 'failed',
      attempts: 3,
      error: new Error('attempt 3'),
    });
    expect(attempts).toBe(3);
  });

  it('tries once when one attempt is all there is', async () => {
    const { execute } = setUp(() => Promise.reject(new Error('no')), { options: { maxAttempts: 1 } });
    expect(await execute()).toMatchObject({ kind: 'dead', reason: 'failed', attempts: 1 });
  });

  it('gives up at once on a permanent failure', async () => {
    const error = new PermanentFailure('no such customer');
    const { execute } = setUp(() => Promise.reject(error));
    expect(await execute()).toEqual({ kind: 'dead', reason: 'permanent', attempts: 1, error });
  });

  it('never calls the handler with a payload that is not its DTO', async () => {
    const invoke = jest.fn<Invoke>();
    const { execute } = setUp(invoke, { payloadType: Order });
    expect(await execute({ body: Buffer.from('{"id":7}') })).toMatchObject({
      kind: 'dead',
      reason: 'invalid',
      attempts: 0,
      error: { message: expect.stringContaining('id must be a string') },
    });
    expect(invoke).not.toHaveBeenCalled();
  });

  it('never calls the handler with bytes that make no sense', async () => {
    const invoke = jest.fn<Invoke>();
    const { execute } = setUp(invoke);
    expect(await execute({ body: Buffer.from('{') })).toMatchObject({
      kind: 'dead',
      reason: 'undecodable',
      attempts: 0,
    });
    expect(invoke).not.toHaveBeenCalled();
  });

  it('never throws, whatever the handler throws', async () => {
    const thrown = fc.oneof(
      fc.anything({ withNullPrototype: true }),
      fc.constantFrom(undefined, null, Symbol('s')),
    );
    await fc.assert(
      fc.asyncProperty(thrown, fc.boolean(), async (error, isSynchronous) => {
        const { execute } = setUp(
          () => {
            if (isSynchronous) throw error;
            return Promise.reject(error);
          },
          { options: { maxAttempts: 2 } },
        );
        const outcome = execute();
        await jest.advanceTimersByTimeAsync(1_000);
        expect(await outcome).toEqual({ kind: 'dead', reason: 'failed', attempts: 2, error });
      }),
    );
  });
});

describe('an attempt', () => {
  it('has its signal aborted at its timeout, and ends only when the handler does', async () => {
    const end = gate();
    let signal: AbortSignal | undefined;
    const { execute } = setUp(
      (_payload, context) => {
        signal = context.signal;
        return end.promise;
      },
      { options: { maxAttempts: 1 } },
    );
    let outcome: Outcome | undefined;
    void execute().then((ended) => (outcome = ended));
    await jest.advanceTimersByTimeAsync(9_999);
    expect(signal?.aborted).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(signal?.aborted).toBe(true);
    expect(signal?.reason).toBeInstanceOf(AttemptTimeout);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(outcome).toBeUndefined();
    end.open();
    await jest.advanceTimersByTimeAsync(0);
    expect(outcome).toMatchObject({
      kind: 'dead',
      reason: 'failed',
      attempts: 1,
      error: { name: 'AttemptTimeout' },
    });
  });

  it('has a fresh signal each time', async () => {
    const wasAborted: boolean[] = [];
    const { execute } = setUp(async (_payload, { signal, attempt }) => {
      wasAborted.push(signal.aborted);
      if (attempt === 1) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    const outcome = execute();
    await jest.advanceTimersByTimeAsync(10_500);
    expect(await outcome).toMatchObject({ kind: 'succeeded', attempts: 2 });
    expect(wasAborted).toEqual([false, false]);
  });

  it('leaves nothing behind on the signals of the process', async () => {
    const { execute, abandoned, stopping } = setUp(async () => undefined);
    const added = [abandoned, stopping].map(({ signal }) => jest.spyOn(signal, 'addEventListener'));
    const removed = [abandoned, stopping].map(({ signal }) => jest.spyOn(signal, 'removeEventListener'));
    const any = jest.spyOn(AbortSignal, 'any');
    await execute();
    expect(removed.map(({ mock }) => mock.calls.length)).toEqual(added.map(({ mock }) => mock.calls.length));
    // Node 20 keeps an entry per call of `any` for as long as its longest-lived signal lives.
    expect(any).not.toHaveBeenCalled();
    any.mockRestore();
  });
});

describe('work with a deadline', () => {
  it('is not started when that has passed', async () => {
    const invoke = jest.fn<Invoke>();
    const { execute } = setUp(invoke);
    expect(await execute(dueIn(0))).toEqual({
      kind: 'dead',
      reason: 'expired',
      attempts: 0,
      error: expect.objectContaining({ name: 'DeadlinePassed' }),
    });
    expect(invoke).not.toHaveBeenCalled();
  });

  it('is started in time, told the deadline, and may end after it', async () => {
    const message = dueIn(1);
    const deadlines: unknown[] = [];
    const { execute } = setUp(async (_payload, { deadline }) => {
      deadlines.push(deadline);
      await fakeableTimers.setTimeout(5_000);
    });
    const outcome = execute(message);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(await outcome).toMatchObject({ kind: 'succeeded' });
    expect(deadlines).toEqual([new Date(message.headers['x-deadline'])]);
  });

  it('is dead at once, with its error, when another attempt would begin too late', async () => {
    const error = new Error('no database');
    const { execute, telemetry } = setUp(() => Promise.reject(error));
    // The second attempt would begin after 500 ms.
    expect(await execute(dueIn(500))).toEqual({ kind: 'dead', reason: 'expired', attempts: 1, error });
    expect(telemetry.named('attempt.failed')).toEqual([]);
  });

  it('is dead when its next attempt comes later than planned', async () => {
    const { execute } = setUp(() => Promise.reject(new Error('no database')));
    const outcome = execute(dueIn(501));
    await settled();
    // A process that was busy elsewhere runs its timers late.
    jest.setSystemTime(Date.now() + 501);
    await jest.advanceTimersByTimeAsync(500);
    expect(await outcome).toMatchObject({
      reason: 'expired',
      attempts: 1,
      error: { message: 'no database' },
    });
  });

  it('is called expired only when an attempt was left', async () => {
    const { execute } = setUp(() => Promise.reject(new Error('no')), { options: { maxAttempts: 1 } });
    expect(await execute(dueIn(100))).toMatchObject({ kind: 'dead', reason: 'failed', attempts: 1 });
  });

  it('begins no attempt at or after it, whenever that is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -1, max: 5_000 }), async (ms) => {
        const message = dueIn(ms);
        const startedAt: number[] = [];
        const { execute } = setUp(async () => {
          startedAt.push(Date.now());
          throw new Error('no');
        });
        const outcome = execute(message);
        await jest.advanceTimersByTimeAsync(10_000);
        const ended = await outcome;
        expect(startedAt.every((at) => at < message.headers['x-deadline'])).toBe(true);
        expect(ended).toMatchObject({
          reason: startedAt.length === 3 ? 'failed' : 'expired',
          attempts: startedAt.length,
        });
      }),
    );
  });
});

describe('a process that ends', () => {
  it('gives back what waits for its next attempt, at once', async () => {
    const { execute, stopping } = setUp(() => Promise.reject(new Error('no')));
    const outcome = execute();
    await jest.advanceTimersByTimeAsync(100);
    stopping.abort();
    expect(await outcome).toEqual({ kind: 'returned', attempts: 1 });
  });

  it('lets a running attempt end, and gives back what would need another', async () => {
    const end = gate();
    const { execute, stopping } = setUp(() => end.promise);
    const outcome = execute();
    await jest.advanceTimersByTimeAsync(0);
    stopping.abort();
    end.fail(new Error('no'));
    expect(await outcome).toEqual({ kind: 'returned', attempts: 1 });
  });

  it('still calls dead what failed its last attempt', async () => {
    const end = gate();
    const { execute, stopping } = setUp(() => end.promise, { options: { maxAttempts: 1 } });
    const outcome = execute();
    await jest.advanceTimersByTimeAsync(0);
    stopping.abort();
    end.fail(new Error('no'));
    expect(await outcome).toMatchObject({ kind: 'dead', reason: 'failed' });
  });

  it('blames no handler for failing after it was abandoned, not even on its last attempt', async () => {
    const { execute, abandoned } = setUp(
      (_payload, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      { options: { maxAttempts: 1 } },
    );
    const outcome = execute();
    await jest.advanceTimersByTimeAsync(0);
    abandoned.abort(new Error('the drain deadline has passed'));
    expect(await outcome).toEqual({ kind: 'returned', attempts: 1 });
  });

  it('counts a success as one, also after it was abandoned', async () => {
    const end = gate();
    const { execute, abandoned } = setUp(() => end.promise);
    const outcome = execute();
    await jest.advanceTimersByTimeAsync(0);
    abandoned.abort();
    end.open();
    expect(await outcome).toMatchObject({ kind: 'succeeded', attempts: 1 });
  });

  it('starts no attempt once it was abandoned', async () => {
    const invoke = jest.fn<Invoke>();
    const { execute, stopping, abandoned } = setUp(invoke);
    stopping.abort();
    abandoned.abort();
    expect(await execute()).toEqual({ kind: 'returned', attempts: 0 });
    expect(invoke).not.toHaveBeenCalled();
  });
});
