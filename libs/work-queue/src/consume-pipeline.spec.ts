import { pathToFileURL } from 'node:url';
import { describe, expect, it, jest } from '@jest/globals';
import { type QueueQos, resolveQueueQos } from '@spillway/qos';
import {
  fakeableTimers,
  FakeConnection,
  type FakeConsumeChannel,
  fakeTimeInEachTest,
  gate,
  RecordingTelemetry,
  settled,
} from '../../../test/support/fake-broker.js';
import type { IncomingMessage, OutgoingMessage } from './broker/broker.port.js';
import type { HandlerSettings } from './consume-pipeline.js';
import { ConfigurationError } from './errors/configuration.error.js';
import { HandlerRegistrationError } from './errors/handler-registration.error.js';
import type { MountedHandler } from './execute/work-handler.js';
import { jsonCodec } from './message/json.codec.js';
import type { CopyStore } from './settle/settler.js';
import type { WorkCopy } from './settle/work-copy.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);

/** Threads are real elsewhere; here it counts what is begun, resized and ended. */
class FakeThreadPool {
  static readonly made: FakeThreadPool[] = [];
  static check: () => Promise<void> = () => Promise.resolve();
  isClosed = false;

  constructor(
    readonly file: URL,
    public size: number,
  ) {
    FakeThreadPool.made.push(this);
  }

  check(): Promise<void> {
    return FakeThreadPool.check();
  }

  run(input: unknown): Promise<unknown> {
    return Promise.resolve({ done: input });
  }

  resize(size: number): void {
    this.size = size;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

jest.unstable_mockModule('./threads/thread-pool.js', () => ({ ThreadPool: FakeThreadPool }));
const { ConsumePipeline } = await import('./consume-pipeline.js');

const THREADS = pathToFileURL('/threads/work.thread.mjs');
const CALLER = { replyTo: 'amq.rabbitmq.reply-to.g1h2', correlationId: 'c-1' };
const FAILURE = new Error('no such customer');

function qosOf(options: object = {}): QueueQos {
  const resolved = resolveQueueQos('orders', {
    maxLength: 100,
    maxAttempts: 3,
    concurrency: 2,
    prefetch: 4,
    timeout: '10s',
    ...options,
  });
  if (!resolved.ok) throw new Error(resolved.problems.map(({ message }) => message).join());
  return resolved.qos;
}

function handlerOf(overrides: Partial<MountedHandler> = {}): MountedHandler {
  return {
    queue: 'orders',
    label: 'Orders.take',
    payloadType: undefined,
    prefetch: undefined,
    concurrency: undefined,
    invoke: async () => undefined,
    ...overrides,
  };
}

const closeAfterTest = fakeTimeInEachTest();

function setUp() {
  const connection = new FakeConnection();
  const telemetry = new RecordingTelemetry();
  const pipeline = new ConsumePipeline(connection, telemetry, async () => undefined);
  closeAfterTest(() => pipeline.drain(0));
  const copies: Array<WorkCopy & { readonly to: string }> = [];
  const replies: OutgoingMessage[] = [];
  const store: CopyStore = {
    toWait: async (copy) => void copies.push({ ...copy, to: 'wait' }),
    toAlone: async (copy) => void copies.push({ ...copy, to: 'alone' }),
    toDead: async (copy) => void copies.push({ ...copy, to: 'dead' }),
  };
  const start = async (
    overrides: Partial<MountedHandler> = {},
    options: object = {},
    settings: Partial<HandlerSettings> = {},
  ): Promise<void> => {
    const handler = handlerOf(overrides);
    await pipeline.start(handler, {
      qos: qosOf(options),
      codec: jsonCodec,
      bounds: pipeline.reserve(handler, qosOf(options)),
      copies: store,
      readWaiting: async () => 0,
      publishReply: async (reply) => void replies.push(reply),
      ...settings,
    });
  };
  return { connection, telemetry, pipeline, copies, replies, start };
}

/** The channel that consumes this queue. */
function channelOf({ consumeChannels }: FakeConnection, queue = 'orders'): FakeConsumeChannel {
  const channel = consumeChannels.find(({ isOpen, requests }) => isOpen && requests[0]?.queue === queue);
  if (!channel) throw new Error(`nobody consumes ${queue}`);
  return channel;
}

async function deliver(channel: FakeConsumeChannel, message: Partial<IncomingMessage> = {}): Promise<void> {
  channel.deliver(message);
  await settled();
}

/** Ends what runs when told to. */
function handlerByHand() {
  const ends: Array<ReturnType<typeof gate<void>>> = [];
  const invoke = jest.fn((): Promise<void> => {
    const end = gate<void>();
    ends.push(end);
    return end.promise;
  });
  const endNext = async (error?: unknown): Promise<void> => {
    const end = ends.shift();
    if (!end) throw new Error('nothing runs');
    if (error === undefined) end.open();
    else end.fail(error);
    await settled();
  };
  return { invoke, ends, endNext };
}

describe('a handler of this process', () => {
  it('takes its queue, what is due and what runs alone, settles it and answers', async () => {
    const { connection, telemetry, replies, start } = setUp();
    await start({ invoke: async (payload) => ({ youSaid: payload }) });
    await deliver(channelOf(connection), { messageId: 'id-7', body: Buffer.from('1'), ...CALLER });
    await deliver(channelOf(connection, 'orders.due'), { messageId: 'id-8', headers: { 'x-attempts': 2 } });
    await deliver(channelOf(connection, 'orders.alone'), { messageId: 'id-9', headers: { 'x-starts': 1 } });
    await jest.advanceTimersByTimeAsync(250);
    for (const queue of ['orders', 'orders.due', 'orders.alone']) {
      expect(channelOf(connection, queue).log).toEqual(['ack 1']);
    }
    expect(replies).toMatchObject([{ queue: CALLER.replyTo, body: Buffer.from('{"youSaid":1}') }]);
    expect(telemetry.named('job.settled')).toMatchObject([
      { queue: 'orders', messageId: 'id-7', end: 'succeeded', attempt: 1 },
      { queue: 'orders', messageId: 'id-8', end: 'succeeded', attempt: 3 },
      { queue: 'orders', messageId: 'id-9', end: 'succeeded', attempt: 1 },
    ]);
  });

  it('waits for no reply', async () => {
    const { connection, telemetry, start } = setUp();
    const publishReply = jest.fn(() => new Promise<void>(() => undefined));
    await start({}, { concurrency: 1 }, { publishReply });
    await deliver(channelOf(connection), CALLER);
    await deliver(channelOf(connection));
    expect(publishReply).toHaveBeenCalledTimes(1);
    expect(telemetry.named('job.settled')).toHaveLength(2);
  });

  it('does not begin what came back to it by its own fault as if it had killed somebody', async () => {
    const { connection, copies, telemetry, start } = setUp();
    const invoke = jest.fn(() => Promise.reject(FAILURE));
    const toWait = jest.fn(async () => Promise.reject(new Error('the broker is away')));
    const toAlone = jest.fn(async () => undefined);
    await start({ invoke }, {}, { copies: { toWait, toAlone, toDead: toAlone } });
    await deliver(channelOf(connection), { messageId: 'id-7' });
    await jest.advanceTimersByTimeAsync(1_000);
    expect(channelOf(connection).log).toEqual(['give back 1']);
    await deliver(channelOf(connection), { messageId: 'id-7', isRedelivered: true });
    expect(invoke).toHaveBeenCalledTimes(2);
    expect(toAlone).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(2_000);
    expect(copies).toEqual([]);
    expect(telemetry.named('job.settled').map(({ end }) => end)).toEqual(['returned', 'returned']);
  });

  it('takes no new work while as much waits for its next attempt as may, but goes on with what is due', async () => {
    const { connection, telemetry, pipeline, start } = setUp();
    let waiting = 5;
    await start(
      { invoke: () => Promise.reject(FAILURE) },
      { maxWaiting: 5, breakAfter: 0 },
      { readWaiting: async () => waiting },
    );
    const channel = channelOf(connection);
    await deliver(channel, { messageId: 'a' });
    expect(telemetry.named('waiting.full')).toMatchObject([{ queue: 'orders', maxWaiting: 5 }]);
    await deliver(channel, { messageId: 'held' });
    await deliver(channelOf(connection, 'orders.due'), { messageId: 'b' });
    await deliver(channelOf(connection, 'orders.alone'), { messageId: 'c' });
    await jest.advanceTimersByTimeAsync(250);
    const begun = () => telemetry.named('job.settled').map(({ messageId }) => messageId);
    expect(begun()).toEqual(['a', 'b', 'c']);
    // It stays subscribed, and nothing goes back.
    expect([channel.log, channel.requests.length, pipeline.problems]).toEqual([['ack 1'], 1, []]);
    waiting = 0;
    await jest.advanceTimersByTimeAsync(1_000);
    expect(telemetry.named('waiting.drained')).toHaveLength(1);
    expect(begun()).toEqual(['a', 'b', 'c', 'held']);
    expect([channel.log, channel.requests.length]).toEqual([['ack 1', 'ack 2'], 1]);
  });

  it('goes on with what succeeds while the copies of what fails cannot be stored', async () => {
    const { connection, telemetry, start } = setUp();
    const invoke = jest.fn(async (payload: unknown) => {
      if (payload === 'fail') throw FAILURE;
    });
    const away = () => Promise.reject(new Error('the broker is in an alarm'));
    const copies = { toWait: away, toAlone: away, toDead: away };
    await start({ invoke }, { concurrency: 2, breakAfter: 0 }, { copies });
    const channel = channelOf(connection);
    await deliver(channel, { messageId: 'bad', body: Buffer.from('"fail"') });
    for (const messageId of ['a', 'b', 'c']) await deliver(channel, { messageId });
    const ends = () => telemetry.named('job.settled').map(({ messageId, end }) => [messageId, end]);
    expect(ends()).toEqual(['a', 'b', 'c'].map((id) => [id, 'succeeded']));
    await jest.advanceTimersByTimeAsync(1_000);
    expect(ends().at(-1)).toEqual(['bad', 'returned']);
  });

  it('is throttled to one at a time while its breaker is open, and not after the first success', async () => {
    const { connection, pipeline, start } = setUp();
    const { invoke, ends, endNext } = handlerByHand();
    await start({ invoke }, { breakAfter: 2, prefetch: 20, concurrency: 4 });
    const channel = channelOf(connection);
    for (let n = 1; n <= 16; n++) channel.deliver({ messageId: `id-${n}` });
    await settled();
    expect(ends).toHaveLength(4);
    await endNext(FAILURE);
    await endNext(FAILURE);
    expect(pipeline.consumer('orders').state).toMatchObject({ isThrottled: true });
    // Stragglers, and the one that took the place of the first failure.
    expect(ends).toHaveLength(3);
    await endNext(FAILURE);
    await endNext(FAILURE);
    await endNext(FAILURE);
    expect(ends).toHaveLength(0);
    await jest.advanceTimersByTimeAsync(199);
    expect(ends).toHaveLength(0);
    await jest.advanceTimersByTimeAsync(1);
    expect(ends).toHaveLength(1);
    await endNext(FAILURE);
    await jest.advanceTimersByTimeAsync(399);
    expect(ends).toHaveLength(0);
    await jest.advanceTimersByTimeAsync(1);
    expect(ends).toHaveLength(1);
    await endNext();
    expect(pipeline.consumer('orders').state).toMatchObject({ isThrottled: false, running: 4 });
    while (ends.length > 0) await endNext();
    expect(channel.unsettled.size).toBe(0);
  });

  it('has one batch of one as its trial while its breaker is open', async () => {
    const { connection, start } = setUp();
    const invoke = jest.fn<MountedHandler['invoke']>(() => Promise.reject(FAILURE));
    await start({ invoke, batch: { size: 3, maxWaitMs: 50 } }, { breakAfter: 1, prefetch: 8 });
    for (let n = 1; n <= 8; n++) {
      channelOf(connection).deliver({ messageId: `id-${n}`, body: Buffer.from('0') });
    }
    const sizes = () => invoke.mock.calls.map(([payloads]) => payloads);
    await jest.advanceTimersByTimeAsync(199);
    expect(sizes()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    await jest.advanceTimersByTimeAsync(1);
    expect(sizes().slice(2)).toEqual([[0]]);
    await jest.advanceTimersByTimeAsync(400);
    expect(sizes().slice(2)).toEqual([[0], [0]]);
  });
});

describe('the bounds of a handler', () => {
  it.each([
    ['those of the QoS file', {}, { prefetch: 4, concurrency: 2 }],
    ['a prefetch alone, which is a concurrency too', { prefetch: 3 }, { prefetch: 3, concurrency: 3 }],
    ['a concurrency alone', { concurrency: 3 }, { prefetch: 4, concurrency: 3 }],
    ['a concurrency beyond the prefetch of the file', { concurrency: 9 }, { prefetch: 9, concurrency: 9 }],
    ['both', { prefetch: 9, concurrency: 1 }, { prefetch: 9, concurrency: 1 }],
  ])('are %s', async (_what, handler, bounds) => {
    const { pipeline, start } = setUp();
    await start(handler);
    expect(pipeline.consumer('orders').state).toMatchObject(bounds);
  });

  it.each<[Partial<MountedHandler>, RegExp]>([
    [{ prefetch: 1, concurrency: 2 }, /got: prefetch 1, concurrency 2\. Raise prefetch or lower concurrency/],
    [{ prefetch: 0 }, /expected prefetch >= concurrency, both integers from 1 to 65535, got: prefetch 0/],
    [{ concurrency: 0 }, /got: prefetch 4, concurrency 0/],
    [{ concurrency: 1.5 }, /got: prefetch 4, concurrency 1\.5/],
    [{ prefetch: 65_536 }, /got: prefetch 65536/],
    [{ concurrency: Number.NaN }, /concurrency NaN/],
    [{ batch: { size: 5 } }, /never fills a batch of 5: set prefetch to 5 or more.*or lower batch\.size/],
    [{ batch: { size: 1 } }, /expected a batch\.size of 2 or more, got: 1/],
    [{ batch: { size: 2.5 } }, /expected a batch\.size of 2 or more, got: 2\.5/],
    [{ batch: { size: Number.NaN } }, /got: NaN/],
    [{ batch: { size: 2, maxWaitMs: -1 } }, /expected a batch\.maxWaitMs of 0 to 60000, got: -1/],
    [{ batch: { size: 2, maxWaitMs: 60_001 } }, /got: 60001/],
    [{ batch: { size: 2, maxWaitMs: Number.NaN } }, /got: NaN/],
  ])('are refused at boot when they are %p', async (handler, problem) => {
    const { connection, pipeline } = setUp();
    const reserve = () => pipeline.reserve(handlerOf(handler), qosOf());
    expect(reserve).toThrow(HandlerRegistrationError);
    expect(reserve).toThrow(problem);
    expect(reserve).toThrow(/^Orders\.take: /);
    expect(connection.consumeChannels).toEqual([]);
  });

  it('may be a batch as large as its prefetch', async () => {
    const { connection, start } = setUp();
    const invoke = jest.fn<MountedHandler['invoke']>(async () => undefined);
    await start({ invoke, batch: { size: 4 } });
    for (let n = 0; n < 4; n++) channelOf(connection).deliver({ body: Buffer.from(`${n}`) });
    await settled();
    expect(invoke.mock.calls.map(([payloads]) => payloads)).toEqual([[0, 1, 2, 3]]);
  });

  it('let a batch wait 100 ms for others unless told otherwise', async () => {
    const { connection, start } = setUp();
    const invoke = jest.fn(async () => undefined);
    await start({ invoke, batch: { size: 4 } });
    await deliver(channelOf(connection));
    await jest.advanceTimersByTimeAsync(99);
    expect(invoke).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    expect(invoke).toHaveBeenCalledTimes(1);
  });

  it('have as rate the handler’s, else the file’s', async () => {
    const { pipeline, start } = setUp();
    await start({ ratePerSec: 7 }, { rate: '5/s' });
    await start({ queue: 'mails' }, { rate: '5/s' });
    expect(pipeline.consumer('orders').state.ratePerSec).toBe(7);
    expect(pipeline.consumer('mails').state.ratePerSec).toBe(5);
  });
});

describe('the handlers of this process', () => {
  it('are one for a queue, and a second is refused with the names of both', () => {
    const { pipeline } = setUp();
    pipeline.reserve(handlerOf(), qosOf());
    pipeline.reserve(handlerOf({ queue: 'mails' }), qosOf());
    const reserve = () => pipeline.reserve(handlerOf({ label: 'Other.take' }), qosOf());
    expect(reserve).toThrow(HandlerRegistrationError);
    expect(reserve).toThrow(/"orders" has two handlers, Orders\.take and Other\.take: .*Keep one/);
  });

  it('are found by their queue, and a stranger’s name is answered with theirs', async () => {
    const { pipeline, start } = setUp();
    expect(() => pipeline.consumer('orders')).toThrow(/it consumes: none/);
    await start();
    await start({ queue: 'mails' });
    expect(pipeline.consumer('mails').queue).toBe('mails');
    expect(() => pipeline.consumer('order')).toThrow(ConfigurationError);
    expect(() => pipeline.consumer('order')).toThrow(/queue "order"; it consumes: "orders", "mails"/);
  });

  it('are a problem while one consumes nothing', async () => {
    const { connection, pipeline, start } = setUp();
    await start();
    expect(pipeline.problems).toEqual([]);
    channelOf(connection, 'orders.due').end('gone');
    await settled();
    expect(pipeline.problems).toEqual(['not consuming orders.due']);
    channelOf(connection).end('gone');
    channelOf(connection, 'orders.alone').end('gone');
    expect(pipeline.problems).toEqual([
      'not consuming orders',
      'not consuming orders.due',
      'not consuming orders.alone',
    ]);
    await jest.advanceTimersByTimeAsync(100);
    expect(pipeline.problems).toEqual([]);
  });

  it('are a problem while one does not end, long after its timeout', async () => {
    const { connection, telemetry, pipeline, start } = setUp();
    const { invoke, endNext } = handlerByHand();
    await start({ invoke }, { timeout: '10s', timeoutGrace: '30s' });
    await deliver(channelOf(connection), { messageId: 'id-7' });
    await jest.advanceTimersByTimeAsync(39_999);
    expect(pipeline.problems).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(pipeline.problems).toEqual(['1 handlers of orders do not end, long after their timeout']);
    expect(telemetry.named('handler.stuck')).toMatchObject([
      { queue: 'orders', messageIds: ['id-7'], runningMs: 40_000 },
    ]);
    await endNext();
    expect(pipeline.problems).toEqual([]);
  });
});

describe('the threads of a handler', () => {
  it('are as many as it may run, and follow its concurrency', async () => {
    const { pipeline, start } = setUp();
    await start({ threads: THREADS }, { concurrency: 3 });
    const pool = FakeThreadPool.made.at(-1);
    expect(pool).toMatchObject({ file: THREADS, size: 3 });
    const consumer = pipeline.consumer('orders');
    await consumer.resize({ concurrency: 6 });
    expect([pool?.size, consumer.state.concurrency]).toEqual([6, 6]);
    await expect(consumer.resize({ concurrency: 0 })).rejects.toThrow(ConfigurationError);
    expect(pool?.size).toBe(6);
    await consumer.pause();
    expect(consumer.state.isPaused).toBe(true);
    await consumer.resume();
    expect([consumer.queue, consumer.state.isPaused]).toEqual(['orders', false]);
  });

  it('end with the drain, after the handlers', async () => {
    const { connection, pipeline, start } = setUp();
    const { invoke, endNext } = handlerByHand();
    await start({ invoke, threads: THREADS });
    await deliver(channelOf(connection));
    const drained = pipeline.drain(1_000);
    await settled();
    const pool = FakeThreadPool.made.at(-1);
    expect(pool?.isClosed).toBe(false);
    await endNext();
    await drained;
    expect(pool?.isClosed).toBe(true);
  });
});

describe('a start that fails', () => {
  it('for its threads module leaves no thread, no consumer and no reservation', async () => {
    const { connection, pipeline, start } = setUp();
    FakeThreadPool.check = () => Promise.reject(new HandlerRegistrationError('there is no such module'));
    await expect(start({ threads: THREADS })).rejects.toThrow('there is no such module');
    FakeThreadPool.check = () => Promise.resolve();
    expect(FakeThreadPool.made.at(-1)?.isClosed).toBe(true);
    expect(connection.consumeChannels).toEqual([]);
    expect(pipeline.problems).toEqual([]);
    expect(() => pipeline.consumer('orders')).toThrow(/it consumes: none/);
    await start({ threads: THREADS });
    expect(channelOf(connection).request.queue).toBe('orders');
  });

  it('for its channel leaves no thread, no consumer and no reservation', async () => {
    const { connection, pipeline, start } = setUp();
    let opened = 0;
    connection.beforeOpen = () =>
      ++opened === 2 ? Promise.reject(new Error('no more channels')) : Promise.resolve();
    const [end] = await Promise.allSettled([
      start({ threads: THREADS }),
      jest.advanceTimersByTimeAsync(2_000),
    ]);
    expect(end).toMatchObject({ status: 'rejected', reason: new Error('no more channels') });
    expect(FakeThreadPool.made.at(-1)?.isClosed).toBe(true);
    expect(connection.consumeChannels.map(({ isOpen }) => isOpen)).toEqual([false, false]);
    expect(pipeline.problems).toEqual([]);
    await start();
    expect(pipeline.consumer('orders').state.isWell).toBe(true);
  });
});

describe('a drain', () => {
  it('lets running handlers finish, stops every timer and closes every channel', async () => {
    const { connection, pipeline, start } = setUp();
    const { invoke, ends, endNext } = handlerByHand();
    // Reading what waits, a batch that waits, a trial that is to come: all have a timer.
    await start({ invoke }, { breakAfter: 1, maxWaiting: 1 }, { readWaiting: async () => 5 });
    await start({ queue: 'mails', batch: { size: 3, maxWaitMs: 60_000 } });
    await deliver(channelOf(connection, 'mails'));
    await deliver(channelOf(connection), { messageId: 'a' });
    await deliver(channelOf(connection), { messageId: 'b' });
    await endNext(FAILURE);
    const [orders, mails] = [channelOf(connection), channelOf(connection, 'mails')];
    const drained = pipeline.drain(1_000);
    await settled();
    expect([orders.isOpen, mails.isOpen, ends.length]).toEqual([true, false, 1]);
    await endNext();
    await drained;
    expect(connection.consumeChannels.map(({ isOpen, unsettled }) => [isOpen, unsettled.size])).toEqual(
      Array(6).fill([false, 0]),
    );
    expect(mails.log).toEqual([expect.stringMatching(/^cancel /), 'give back 1', 'close']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('begins nothing any more, not even a consumer whose threads were being looked at', async () => {
    const { connection, pipeline, start } = setUp();
    const checked = gate();
    FakeThreadPool.check = () => checked.promise;
    const starting = start({ threads: THREADS });
    await settled();
    FakeThreadPool.check = () => Promise.resolve();
    await pipeline.drain(1_000);
    checked.open();
    await starting;
    expect(connection.consumeChannels).toEqual([]);
    expect(FakeThreadPool.made.at(-1)?.isClosed).toBe(true);
  });

  it('aborts what runs past its deadline, which then finds nothing to settle and no timer', async () => {
    const { connection, telemetry, pipeline, start } = setUp();
    const { invoke, endNext } = handlerByHand();
    const signals: AbortSignal[] = [];
    const watched: MountedHandler['invoke'] = (_payload, { signal }) => {
      signals.push(signal);
      return invoke();
    };
    await start({ invoke: watched }, { breakAfter: 1 });
    await deliver(channelOf(connection));
    const drained = pipeline.drain(500);
    await jest.advanceTimersByTimeAsync(499);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    await jest.advanceTimersByTimeAsync(1_001);
    await drained;
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    await endNext(FAILURE);
    expect(telemetry.named('job.settled')).toMatchObject([{ end: 'lost', attempt: 0 }]);
    expect(telemetry.named('breaker.opened')).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });
});
