import { describe, expect, it, jest } from '@jest/globals';
import { type QueueQos, resolveQueueQos } from '@spillway/qos';
import { IsString } from 'class-validator';
import {
  FakeConsumeChannel,
  fakeTimeInEachTest,
  gate,
  incoming,
  RecordingTelemetry,
  settled,
} from '../../../test/support/fake-broker.js';
import type { IncomingMessage, OutgoingMessage } from './broker/broker.port.js';
import { Breaker } from './consume/breaker.js';
import { Delivery, type Lane } from './consume/delivery.js';
import { WaitingBound } from './consume/waiting-bound.js';
import { BatchFailure } from './errors/batch-failure.error.js';
import { DropWork } from './errors/drop-work.error.js';
import { PermanentFailure } from './errors/permanent-failure.error.js';
import { RetryLater } from './errors/retry-later.error.js';
import { BatchExecutor } from './execute/batch-executor.js';
import { Executor } from './execute/executor.js';
import { RunningAttempts } from './execute/running-attempts.js';
import type { MountedHandler } from './execute/work-handler.js';
import { HandlerPipeline } from './handler-pipeline.js';
import { jsonCodec } from './message/json.codec.js';
import { Replier } from './settle/replier.js';
import { type CopyStore, Settler } from './settle/settler.js';
import type { WorkCopy } from './settle/work-copy.js';

const CALLER = { replyTo: 'amq.rabbitmq.reply-to.g1h2', correlationId: 'c-1' };
const LATER_MS = 30_000;
/** The first step of the ladder below. */
const SHORTEST_WAIT_MS = 1_000;

class Order {
  @IsString()
  readonly id: string;
}

interface Given extends Partial<IncomingMessage> {
  readonly lane?: Lane;
  readonly isSuspect?: boolean;
}

interface Setup {
  readonly invoke?: MountedHandler['invoke'];
  readonly payloadType?: MountedHandler['payloadType'];
  readonly isBatch?: boolean;
  readonly options?: object;
  readonly store?: (copy: WorkCopy) => Promise<void>;
}

function qosOf(options: object): QueueQos {
  const backoff = { initial: '1s', max: '30s', multiplier: 2 };
  const resolved = resolveQueueQos('orders', { maxLength: 100, maxAttempts: 3, backoff, ...options });
  if (!resolved.ok) throw new Error(resolved.problems.map(({ message }) => message).join());
  return resolved.qos;
}

const closeAfterTest = fakeTimeInEachTest();

function setUp({
  invoke = async () => undefined,
  payloadType,
  isBatch = false,
  options = {},
  store = async () => undefined,
}: Setup = {}) {
  const queue = 'orders';
  const qos = qosOf(options);
  const telemetry = new RecordingTelemetry();
  const handler = {
    queue,
    label: 'Orders.take',
    payloadType,
    prefetch: undefined,
    concurrency: undefined,
    invoke: jest.fn(invoke),
  };
  const limits = { label: handler.label, timeoutMs: qos.timeoutMs, graceMs: qos.timeoutGraceMs };
  const running = new RunningAttempts(limits, () => undefined);
  // The lower end of the jitter.
  const executor = new Executor({ handler, qos, codec: jsonCodec, running, random: () => 0 });
  const abandon = new AbortController();
  const asked: string[] = [];
  const stopping = new AbortController();
  const copies: Array<WorkCopy & { readonly to: string }> = [];
  const keep = (copy: WorkCopy, to: string): Promise<void> => {
    copies.push({ ...copy, to });
    return store(copy);
  };
  const copyStore: CopyStore = {
    toWait: (copy, delayMs) => keep(copy, `wait ${delayMs}`),
    toAlone: (copy) => keep(copy, 'alone'),
    toDead: (copy) => keep(copy, 'dead'),
  };
  const channel = new FakeConsumeChannel();
  const replies: OutgoingMessage[] = [];
  const logAtReply: string[][] = [];
  const reply = async (message: OutgoingMessage): Promise<void> => {
    replies.push(message);
    logAtReply.push([...channel.log]);
  };
  const readWaiting = jest.fn(async () => 0);
  const intake = { unstored: async () => undefined, stored: () => undefined };
  const pipeline = new HandlerPipeline({
    queue,
    qos,
    consumer: {
      abandoned: abandon.signal,
      stopping: stopping.signal,
      throttle: (isThrottled) => void asked.push(isThrottled ? 'one at a time' : 'all at once'),
      hold: () => void asked.push('hold'),
      release: () => void asked.push('release'),
    },
    executor,
    batches: isBatch ? new BatchExecutor({ handler, running }, executor) : undefined,
    settler: new Settler(queue, copyStore, intake, telemetry),
    replier: new Replier(queue, reply, telemetry),
    breaker: new Breaker(qos.breakAfter),
    waiting: new WaitingBound({ maxWaiting: 100, read: readWaiting, changed: () => undefined }),
    telemetry,
  });
  closeAfterTest(async () => pipeline.stop());
  const delivered = ({ lane = 'work', isSuspect = false, ...message }: Given, place: number): Delivery => {
    const deliveryTag = channel.unsettled.size + channel.log.length + 1;
    channel.unsettled.add(deliveryTag);
    const source = { lane, channel, ending: new AbortController().signal };
    return new Delivery(
      incoming({ messageId: `id-${place + 1}`, ...message, deliveryTag }),
      source,
      isSuspect,
    );
  };
  /** As the consumer hands things over: suspects by themselves. */
  const work = async (...given: Given[]): Promise<void> => {
    const deliveries = given.map(delivered);
    const asides = deliveries.filter(({ isSuspect }) => isSuspect).map((each) => pipeline.setAside(each));
    const others = deliveries.filter(({ isSuspect }) => !isSuspect);
    if (others.length > 0) await pipeline.work(others);
    await Promise.all(asides);
  };
  const putBack = (given: Given): Promise<void> => pipeline.putBack(delivered(given, 0));
  const jobs = () => telemetry.named('job.settled');
  return {
    work,
    putBack,
    jobs,
    handler,
    channel,
    copies,
    replies,
    logAtReply,
    asked,
    telemetry,
    abandon,
    readWaiting,
  };
}

/** A handler that fails so, each time. */
function failing(error: unknown = new Error('no such customer')): MountedHandler['invoke'] {
  return () => Promise.reject(error);
}

const FAILURE = new Error('no such customer');
const NEVER = new PermanentFailure('no such customer');
const LATER = new RetryLater(LATER_MS);
const DROPPED = new DropWork('paid already');
const LAST_ATTEMPT = { headers: { 'x-attempts': 2 } };

describe('what a handler is given', () => {
  it.each<[string, Setup, Given, object, string[]]>([
    ['returned', {}, {}, { end: 'succeeded', attempt: 1, error: undefined }, []],
    ['dropped it', { invoke: failing(DROPPED) }, {}, { end: 'dropped', attempt: 1, error: DROPPED }, []],
    [
      'failed',
      { invoke: failing(FAILURE) },
      {},
      { end: 'retried', attempt: 1, retryInMs: 1_000, error: FAILURE },
      ['wait 1000'],
    ],
    [
      'failed once more',
      { invoke: failing(FAILURE) },
      { headers: { 'x-attempts': 1 } },
      { end: 'retried', attempt: 2, retryInMs: 2_000, error: FAILURE },
      ['wait 2000'],
    ],
    [
      'failed for the last time',
      { invoke: failing(FAILURE) },
      LAST_ATTEMPT,
      { end: 'dead-lettered', attempt: 3, error: FAILURE },
      ['dead'],
    ],
    ['gave up', { invoke: failing(NEVER) }, {}, { end: 'dead-lettered', attempt: 1, error: NEVER }, ['dead']],
    [
      'asked for a later attempt',
      { invoke: failing(LATER) },
      LAST_ATTEMPT,
      { end: 'deferred', attempt: 2, retryInMs: LATER_MS, error: LATER },
      ['wait 30000'],
    ],
  ])('is settled and told of once when it %s', async (_what, setup, given, told, copied) => {
    const { work, jobs, channel, copies, handler } = setUp(setup);
    await work(given);
    expect(handler.invoke).toHaveBeenCalledTimes(1);
    expect(channel.log).toEqual(['ack 1']);
    expect(copies.map(({ to }) => to)).toEqual(copied);
    expect(jobs()).toMatchObject([{ queue: 'orders', messageId: 'id-1', retryInMs: undefined, ...told }]);
    expect(jobs()[0]?.serviceTimeMs).toBeGreaterThanOrEqual(0);
  });

  it.each<[string, Setup, Given, object, string]>([
    ['cannot be read', {}, { body: Buffer.from('{') }, { end: 'dead-lettered' }, 'undecodable'],
    ['is not valid', { payloadType: Order }, {}, { end: 'dead-lettered' }, 'invalid'],
    ['comes too late', {}, { headers: { 'x-deadline': 1 } }, { end: 'expired' }, 'expired'],
  ])('costs no call and no attempt when it %s', async (_what, setup, given, told, reason) => {
    const { work, jobs, channel, copies, handler } = setUp(setup);
    await work(given);
    expect(handler.invoke).not.toHaveBeenCalled();
    expect(channel.log).toEqual(['ack 1']);
    expect(copies).toMatchObject([
      { to: 'dead', headers: { 'x-dead-reason': reason, 'x-dead-attempts': 0 } },
    ]);
    expect(jobs()).toMatchObject([{ ...told, attempt: 0, serviceTimeMs: undefined }]);
  });

  it('goes back unstarted when the worker must end', async () => {
    const { work, jobs, channel, handler, abandon } = setUp();
    abandon.abort(new Error('the drain deadline has passed'));
    await work({});
    expect(handler.invoke).not.toHaveBeenCalled();
    expect(channel.log).toEqual(['give back 1']);
    expect(jobs()).toMatchObject([{ end: 'returned', attempt: 0, serviceTimeMs: undefined }]);
  });

  it('goes back when its copy cannot be stored, and nobody says when it is tried again', async () => {
    const store = () => Promise.reject(new Error('the broker is away'));
    const { work, jobs, channel, telemetry, readWaiting } = setUp({ invoke: failing(), store });
    await work(CALLER);
    expect(channel.log).toEqual(['give back 1']);
    expect(jobs()).toMatchObject([{ end: 'returned', retryInMs: undefined }]);
    expect(telemetry.named('settle.failed')).toHaveLength(1);
    expect(readWaiting).not.toHaveBeenCalled();
  });

  it('is lost when its channel is gone by the time it ends', async () => {
    const end = gate();
    const { work, jobs, channel, replies } = setUp({ invoke: () => end.promise });
    const done = work(CALLER);
    channel.end('gone');
    end.open();
    await done;
    expect(jobs()).toMatchObject([{ end: 'lost', attempt: 1 }]);
    expect(replies).toEqual([]);
  });

  it('is told of with the time it waited and the time it took', async () => {
    const end = gate();
    const { work, jobs } = setUp({ invoke: () => end.promise });
    const done = work({ headers: { 'x-sent': Date.now() - 1_000 } });
    await jest.advanceTimersByTimeAsync(40);
    end.open();
    await done;
    expect(jobs()).toMatchObject([{ waitTimeMs: 1_000, serviceTimeMs: 40 }]);
  });

  it('never waited for less than no time, and for no known time when nobody stamped it', async () => {
    const { work, jobs } = setUp();
    await work({ headers: { 'x-sent': Date.now() + 60_000 } });
    await work({});
    expect(jobs().map(({ waitTimeMs }) => waitTimeMs)).toEqual([0, undefined]);
  });

  it('has one id for everything, also when its publisher gave it none', async () => {
    const { work, jobs, copies } = setUp({ invoke: failing() });
    await work({ messageId: undefined });
    expect(copies[0]?.messageId).toMatch(/^[\da-f-]{36}$/);
    expect(jobs()).toMatchObject([{ messageId: copies[0]?.messageId }]);
  });

  it('is not acked before its copy is stored', async () => {
    const stored = gate();
    const { work, jobs, channel } = setUp({ invoke: failing(), store: () => stored.promise });
    const done = work({});
    await settled();
    expect([channel.log, jobs()]).toEqual([[], []]);
    stored.open();
    await done;
    expect(channel.log).toEqual(['ack 1']);
  });

  it('counts as waiting only when it waits for its next attempt', async () => {
    for (const [invoke, given, times] of [
      [failing(), {}, 1],
      [failing(LATER), {}, 1],
      [failing(NEVER), {}, 0],
      [failing(), { isSuspect: true }, 0],
      [async () => undefined, {}, 0],
    ] as const) {
      const { work, readWaiting } = setUp({ invoke });
      await work(given);
      expect(readWaiting).toHaveBeenCalledTimes(times);
    }
  });
});

describe('what may have killed its process', () => {
  it('goes back with the starts it has when it was set aside and has not begun', async () => {
    const { putBack, copies, channel, handler } = setUp();
    await putBack({ lane: 'alone', headers: { 'x-starts': 2 } });
    expect(copies).toMatchObject([{ to: 'alone', messageId: 'id-1', headers: { 'x-starts': 2 } }]);
    expect(channel.log).toEqual(['ack 1']);
    expect(handler.invoke).not.toHaveBeenCalled();
  });

  it('is set aside with one more start on record, and the handler is not called', async () => {
    const { work, jobs, channel, copies, handler, asked } = setUp({ options: { breakAfter: 1 } });
    await work({ isSuspect: true, headers: { 'x-attempts': 1, 'x-sent': Date.now() - 5 } });
    expect(handler.invoke).not.toHaveBeenCalled();
    expect(copies).toMatchObject([{ to: 'wait 1000', headers: { 'x-starts': 1, 'x-attempts': 1 } }]);
    expect(channel.log).toEqual(['ack 1']);
    expect(jobs()).toMatchObject([
      { end: 'set-aside', attempt: 1, serviceTimeMs: undefined, retryInMs: undefined, waitTimeMs: 5 },
    ]);
    expect(asked).toEqual([]);
  });

  it.each([
    { maxAttempts: 1, starts: 2 },
    { maxAttempts: 3, starts: 2 },
    { maxAttempts: 5, starts: 4 },
  ])(
    'is dead-lettered at the greater of three and maxAttempts starts: %p',
    async ({ maxAttempts, starts }) => {
      const { work, jobs, copies, handler } = setUp({ options: { maxAttempts, breakAfter: 1 } });
      await work({ isSuspect: true, lane: 'alone', headers: { 'x-starts': starts - 1 } });
      await work({ isSuspect: true, lane: 'alone', headers: { 'x-starts': starts } });
      expect(handler.invoke).not.toHaveBeenCalled();
      expect(copies).toMatchObject([
        { to: 'alone', headers: { 'x-starts': starts } },
        { to: 'dead', headers: { 'x-dead-reason': 'crashed' } },
      ]);
      expect(copies[1]?.headers).not.toHaveProperty('x-starts');
      expect(jobs().map(({ end }) => end)).toEqual(['set-aside', 'dead-lettered']);
    },
  );

  it('has its starts forgotten when it came to an end', async () => {
    const { work, copies } = setUp({ invoke: failing() });
    await work({ lane: 'alone', headers: { 'x-starts': 2 } });
    expect(copies[0]?.headers).toEqual({
      'x-attempts': 1,
      'x-first-error': 'Error: no such customer',
      'x-last-error': 'Error: no such customer',
    });
  });
});

describe('a batch', () => {
  it('in which some succeed opens no breaker for those that fail: the downstream is there', async () => {
    const failures = new Map([0, 1, 2].map((place) => [place, new Error('no such customer')]));
    const { work, jobs, asked } = setUp({
      isBatch: true,
      invoke: failing(new BatchFailure(failures)),
      options: { breakAfter: 2 },
    });
    await work({}, {}, {}, {});
    const ends = jobs().map(({ end }) => end);
    expect(ends.toSorted((one, other) => one.localeCompare(other))).toEqual([
      'retried',
      'retried',
      'retried',
      'succeeded',
    ]);
    expect(asked).not.toContain('one at a time');
  });

  it('is an array even of one', async () => {
    const { work, handler } = setUp({ isBatch: true });
    await work({ body: Buffer.from('1') });
    expect(handler.invoke.mock.calls.map(([payloads]) => payloads)).toEqual([[1]]);
  });

  it('ends for each of its items as that one did', async () => {
    const failures = new Map<number, unknown>([
      [1, FAILURE],
      [2, NEVER],
    ]);
    const { work, jobs, channel, replies } = setUp({
      isBatch: true,
      invoke: failing(new BatchFailure(failures)),
    });
    await work(CALLER, CALLER, CALLER, { body: Buffer.from('{') });
    const ends = Object.fromEntries(jobs().map(({ messageId, end }) => [messageId, end]));
    expect(jobs()).toHaveLength(4);
    expect(ends).toEqual({
      'id-1': 'succeeded',
      'id-2': 'retried',
      'id-3': 'dead-lettered',
      'id-4': 'dead-lettered',
    });
    expect(channel.unsettled.size).toBe(0);
    expect(new Set(replies.map(({ messageId }) => messageId))).toEqual(new Set(['id-1', 'id-3']));
  });

  it('that opens the breaker costs an attempt those only that counted before', async () => {
    const { work, jobs, asked } = setUp({ isBatch: true, invoke: failing(), options: { breakAfter: 3 } });
    await work({}, {}, {}, {}, {});
    expect(jobs().map(({ end, attempt }) => [end, attempt])).toEqual([
      ['retried', 1],
      ['retried', 1],
      ['deferred', 0],
      ['deferred', 0],
      ['deferred', 0],
    ]);
    expect(asked).toEqual(['one at a time', 'hold']);
    await jest.advanceTimersByTimeAsync(200);
    expect(asked).toEqual(['one at a time', 'hold', 'release']);
  });
});

describe('the breaker of a handler', () => {
  it('opens after so many different failing messages, and from then on no attempt is counted', async () => {
    const { work, jobs, copies, telemetry } = setUp({ invoke: failing(FAILURE), options: { breakAfter: 2 } });
    for (const messageId of ['a', 'a', 'a', 'b', 'c']) {
      await work({ messageId, headers: { 'x-attempts': 1 } });
    }
    expect(jobs().map(({ end, attempt }) => [end, attempt])).toEqual([
      ['retried', 2],
      ['retried', 2],
      ['retried', 2],
      ['deferred', 1],
      ['deferred', 1],
    ]);
    expect(jobs().at(-1)).toMatchObject({ retryInMs: SHORTEST_WAIT_MS, error: FAILURE });
    expect(copies.map(({ headers }) => headers['x-attempts'])).toEqual([2, 2, 2, 1, 1]);
    expect(telemetry.named('breaker.opened')).toMatchObject([{ queue: 'orders', error: FAILURE }]);
  });

  it('keeps work that would be dead-lettered for having failed', async () => {
    const { work, jobs, copies } = setUp({ invoke: failing(), options: { breakAfter: 1 } });
    await work(LAST_ATTEMPT);
    expect(copies).toMatchObject([{ to: `wait ${SHORTEST_WAIT_MS}`, headers: LAST_ATTEMPT.headers }]);
    expect(jobs()).toMatchObject([{ end: 'deferred', attempt: 2 }]);
  });

  it('lets one try after another, each after a longer pause', async () => {
    const { work, asked } = setUp({ invoke: failing(), options: { breakAfter: 1 } });
    for (const pauseMs of [200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
      asked.length = 0;
      await work({});
      expect(asked).toEqual(['one at a time', 'hold']);
      await jest.advanceTimersByTimeAsync(pauseMs - 1);
      expect(asked).not.toContain('release');
      await jest.advanceTimersByTimeAsync(1);
      expect(asked).toContain('release');
    }
  });

  it('pauses between trials when somebody sets the clock back', async () => {
    const { work, asked } = setUp({ invoke: failing(), options: { breakAfter: 1 } });
    await work({});
    await jest.advanceTimersByTimeAsync(200);
    jest.setSystemTime(Date.now() - 3_600_000);
    await work({});
    expect(asked).toEqual(['one at a time', 'hold', 'release', 'one at a time', 'hold']);
  });

  it('hears nothing from what was begun before it opened: that neither counts nor makes the pause longer', async () => {
    const end = gate();
    const invoke: MountedHandler['invoke'] = (payload) =>
      payload === 1 ? end.promise : Promise.reject(FAILURE);
    const { work, jobs, asked } = setUp({ invoke, options: { breakAfter: 1 } });
    const stragglers = [1, 2, 3].map(() => work({ body: Buffer.from('1') }));
    await settled();
    await work({});
    await jest.advanceTimersByTimeAsync(150);
    end.fail(FAILURE);
    await Promise.all(stragglers);
    expect(jobs().map(({ end: how, attempt }) => [how, attempt])).toEqual(Array(4).fill(['deferred', 0]));
    expect(asked).toEqual(['one at a time', 'hold']);
    await jest.advanceTimersByTimeAsync(50);
    expect(asked).toEqual(['one at a time', 'hold', 'release']);
    // The next trial fails for the first time.
    await work({});
    await jest.advanceTimersByTimeAsync(400);
    expect(asked.at(-1)).toBe('release');
  });

  it('is not opened again by what was begun before it opened', async () => {
    const end = gate();
    const invoke: MountedHandler['invoke'] = (payload) => {
      if (payload === 1) return end.promise;
      return payload === 2 ? Promise.reject(FAILURE) : Promise.resolve();
    };
    const { work, jobs, telemetry } = setUp({ invoke, options: { breakAfter: 1 } });
    const straggler = work({ messageId: 'slow', body: Buffer.from('1') });
    await settled();
    await work({ body: Buffer.from('2') });
    await work({ body: Buffer.from('3') });
    end.fail(FAILURE);
    await straggler;
    expect(telemetry.named('breaker.opened')).toHaveLength(1);
    expect(jobs().at(-1)).toMatchObject({ messageId: 'slow', end: 'retried', attempt: 1 });
  });

  it('closes with the first success, and all run at once again without a pause', async () => {
    const ends = [FAILURE, FAILURE, undefined, undefined, FAILURE];
    const invoke = async (): Promise<void> => {
      const error = ends.shift();
      if (error) throw error;
    };
    const { work, jobs, asked, telemetry } = setUp({ invoke, options: { breakAfter: 2 } });
    await work({ messageId: 'a' });
    await work({ messageId: 'b' });
    asked.length = 0;
    await work({ messageId: 'b' });
    expect(asked).toEqual(['all at once', 'release']);
    await work({ messageId: 'c' });
    await work({ messageId: 'd' });
    expect(telemetry.named('breaker.closed')).toMatchObject([{ queue: 'orders' }]);
    expect(jobs().at(-1)).toMatchObject({ end: 'retried', attempt: 1 });
    // No trial is waited for any more.
    await jest.advanceTimersByTimeAsync(10_000);
    expect(asked).toEqual(['all at once', 'release']);
  });

  it.each<[string, Setup, Given]>([
    ['a permanent failure', { invoke: failing(NEVER) }, {}],
    ['a wish for a later attempt', { invoke: failing(LATER) }, {}],
    ['work that need not be done', { invoke: failing(DROPPED) }, {}],
    ['an invalid payload', { payloadType: Order }, {}],
    ['bytes nobody can read', {}, { body: Buffer.from('{') }],
    ['work that comes too late', {}, { headers: { 'x-deadline': 1 } }],
    ['a suspect', {}, { isSuspect: true }],
    ['a suspect that is given up', {}, { isSuspect: true, headers: { 'x-starts': 9 } }],
  ])('is not opened by %s, nor paused by it while open', async (_what, setup, given) => {
    const closed = setUp({ ...setup, options: { breakAfter: 1 } });
    await closed.work(given);
    expect([closed.asked, closed.telemetry.named('breaker.opened')]).toEqual([[], []]);
    const ends = [failing(), setup.invoke ?? (async () => undefined)];
    const invoke: MountedHandler['invoke'] = (...call) => ends.shift()?.(...call) ?? Promise.resolve();
    const open = setUp({ ...setup, payloadType: undefined, invoke, options: { breakAfter: 1 } });
    await open.work({});
    await open.work(setup.payloadType ? { body: Buffer.from('{') } : given);
    expect(open.asked).toEqual(['one at a time', 'hold']);
    expect(open.telemetry.named('breaker.closed')).toEqual([]);
  });

  it('never opens when it is not to', async () => {
    const { work, jobs, asked } = setUp({ invoke: failing(), options: { breakAfter: 0 } });
    for (let n = 0; n < 20; n++) await work({ messageId: `${n}` });
    expect(asked).toEqual([]);
    expect(new Set(jobs().map(({ end }) => end))).toEqual(new Set(['retried']));
  });
});

describe('a caller that waits', () => {
  it.each<[string, Setup, Given]>([
    ['succeeded', {}, {}],
    ['was dropped', { invoke: failing(DROPPED) }, {}],
    ['was dead-lettered', { invoke: failing(NEVER) }, {}],
    ['failed for the last time', { invoke: failing() }, LAST_ATTEMPT],
    ['came too late', {}, { headers: { 'x-deadline': 1 } }],
    ['began too often', {}, { isSuspect: true, headers: { 'x-starts': 9 } }],
  ])('is answered when its work %s, after that is settled', async (_what, setup, given) => {
    const { work, replies, logAtReply } = setUp(setup);
    await work({ ...given, ...CALLER });
    expect(replies).toMatchObject([{ queue: CALLER.replyTo, correlationId: CALLER.correlationId }]);
    expect(logAtReply).toEqual([['ack 1']]);
  });

  it.each<[string, Setup, Given]>([
    ['tried again', { invoke: failing() }, {}],
    ['deferred', { invoke: failing(LATER) }, {}],
    ['deferred by the breaker', { invoke: failing(), options: { breakAfter: 1 } }, LAST_ATTEMPT],
    ['set aside', {}, { isSuspect: true }],
  ])('is not answered while its work is %s, and can be later', async (_what, setup, given) => {
    const { work, copies, replies } = setUp(setup);
    await work({ ...given, ...CALLER });
    expect(replies).toEqual([]);
    expect(copies).toMatchObject([CALLER]);
  });
});
