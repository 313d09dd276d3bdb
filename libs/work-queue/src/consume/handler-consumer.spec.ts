import { describe, expect, it, jest } from '@jest/globals';
import {
  type FakeConsumeChannel,
  FakeConnection,
  fakeableTimers,
  fakeTimeInEachTest,
  gate,
  RecordingTelemetry,
  settled,
} from '../../../../test/support/fake-broker.js';
import { ConfigurationError } from '../errors/configuration.error.js';
import { HEADERS } from '../message/headers.js';
import type { Delivery } from './delivery.js';
import type { DeliveryWork, HandlerConsumerOptions } from './handler-consumer.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { HandlerConsumer } = await import('./handler-consumer.js');

const close = fakeTimeInEachTest();
const never = (): Promise<void> => new Promise(() => undefined);

interface Job {
  readonly deliveries: readonly Delivery[];
  readonly ids: ReadonlyArray<string | undefined>;
  end(): void;
}

const OPTIONS: HandlerConsumerOptions = {
  queue: 'orders',
  dueQueue: 'orders.due',
  aloneQueue: 'orders.alone',
  tag: 'worker',
  prefetch: 3,
  concurrency: 2,
  ratePerSec: undefined,
  batch: undefined,
  setAside: async (delivery) => void delivery.ack(),
  restore: async () => undefined,
};

function setUp(overrides: Partial<HandlerConsumerOptions> = {}) {
  const connection = new FakeConnection();
  const telemetry = new RecordingTelemetry();
  const jobs: Job[] = [];
  const work: DeliveryWork = (deliveries) => {
    const ended = gate();
    const ids = deliveries.map(({ message }) => message.messageId);
    jobs.push({ deliveries, ids, end: ended.open });
    return ended.promise;
  };
  const consumer = new HandlerConsumer(connection, { ...OPTIONS, ...overrides }, work, telemetry);
  close(async () => {
    for (const job of jobs) job.end();
    await consumer.drain(0);
  });
  /** Ends a job as the pipeline does: settled first. */
  const finish = async (index: number): Promise<void> => {
    for (const delivery of jobs[index]?.deliveries ?? []) delivery.ack();
    jobs[index]?.end();
    await settled();
  };
  /** The last channel opened that has consumed this queue. */
  const channelOf = (queue: string): FakeConsumeChannel => {
    const isOfIt = ({ requests }: FakeConsumeChannel): boolean => requests[0]?.queue === queue;
    const channel = connection.consumeChannels.filter(isOfIt).at(-1);
    if (!channel) throw new Error(`no channel of ${queue}`);
    return channel;
  };
  const begun = (): Array<string | undefined> => jobs.flatMap(({ ids }) => ids);
  return { connection, consumer, telemetry, jobs, finish, channelOf, begun };
}

async function started(overrides: Partial<HandlerConsumerOptions> = {}) {
  const context = setUp(overrides);
  await context.consumer.start();
  const [work, due, alone] = ['orders', 'orders.due', 'orders.alone'].map(context.channelOf);
  if (!work || !due || !alone) throw new Error('it has not started');
  return { ...context, work, due, alone };
}

function deliver(channel: FakeConsumeChannel, ...ids: readonly string[]): void {
  for (const messageId of ids) channel.deliver({ messageId });
}

/** The promise with a flag that says whether it has resolved. */
function watch(promise: Promise<unknown>): { isDone: boolean } {
  const watched = { isDone: false };
  void promise.then(() => (watched.isDone = true));
  return watched;
}

/** Node marks what it has warned about; the warning itself goes to a process object that jest keeps from tests. */
function hasWarned(signal: AbortSignal): unknown {
  const marks = Object.getOwnPropertySymbols(signal);
  const mark = marks.find(({ description }) => description === 'events.maxEventTargetListenersWarned');
  return mark && Reflect.get(signal, mark);
}

describe('a handler’s consumer', () => {
  it('consumes its queue, its due queue and that of what runs alone, each with a prefetch of its own', async () => {
    const { consumer, telemetry, work, due, alone } = await started({ prefetch: 12, concurrency: 10 });
    expect(work.request).toMatchObject({ queue: 'orders', prefetch: 12, consumerTag: 'worker.1' });
    expect(due.request).toMatchObject({ queue: 'orders.due', prefetch: 3, consumerTag: 'worker.1' });
    expect(alone.request).toMatchObject({ queue: 'orders.alone', prefetch: 1, consumerTag: 'worker.1' });
    expect(telemetry.events).toEqual([
      { name: 'consumer.started', queue: 'orders', prefetch: 12 },
      { name: 'consumer.started', queue: 'orders.due', prefetch: 3 },
      { name: 'consumer.started', queue: 'orders.alone', prefetch: 1 },
    ]);
    expect(consumer.silentQueues).toEqual([]);
  });

  it('runs no more handlers than its concurrency, of all queues together, in turns', async () => {
    const { consumer, work, due, finish, begun } = await started();
    deliver(work, 'w1', 'w2', 'w3');
    deliver(due, 'd1');
    expect(begun()).toEqual(['w1', 'w2']);
    await finish(0);
    await finish(1);
    expect(begun()).toEqual(['w1', 'w2', 'd1', 'w3']);
    expect(consumer.state.running).toBe(2);
  });

  it('hands over batches', async () => {
    const { work, due, jobs } = await started({
      prefetch: 4,
      concurrency: 2,
      batch: { size: 3, maxWaitMs: 100 },
    });
    expect(due.request.prefetch).toBe(3);
    deliver(work, 'w1', 'w2', 'w3', 'w4');
    await jest.advanceTimersByTimeAsync(100);
    expect(jobs.map(({ ids }) => ids)).toEqual([['w1', 'w2', 'w3'], ['w4']]);
  });

  it('keeps to its rate', async () => {
    const { work, begun } = await started({ ratePerSec: 10 });
    deliver(work, 'w1', 'w2');
    expect(begun()).toEqual(['w1']);
    await jest.advanceTimersByTimeAsync(100);
    expect(begun()).toEqual(['w1', 'w2']);
  });

  it('tells its state', async () => {
    const { consumer, work } = await started({ ratePerSec: 100 });
    deliver(work, 'w1', 'w2', 'w3');
    expect(consumer.state).toEqual({
      prefetch: 3,
      concurrency: 2,
      ratePerSec: 100,
      running: 2,
      waiting: 1,
      isPaused: false,
      isThrottled: false,
      isWell: true,
    });
    consumer.throttle(true);
    await consumer.pause();
    expect(consumer.state).toMatchObject({ isPaused: true, isThrottled: true, isWell: true, waiting: 0 });
    await consumer.resume();
    consumer.throttle(false);
    expect(consumer.state).toMatchObject({ isPaused: false, isThrottled: false, isWell: true });
    work.end('gone');
    expect([consumer.state.isWell, consumer.silentQueues]).toEqual([false, ['orders']]);
  });

  it('is not well while it drains', async () => {
    const { consumer } = await started();
    const drained = consumer.drain(1_000);
    expect(consumer.state.isWell).toBe(false);
    await drained;
  });

  it('lets any number of handlers watch its signals without a warning', async () => {
    const { consumer, work, jobs } = await started({ prefetch: 11, concurrency: 11 });
    for (let i = 0; i < 11; i++) work.deliver();
    const signals = jobs.flatMap(({ deliveries }) => deliveries.map(({ source }) => source.ending));
    for (const ending of signals) {
      ending.addEventListener('abort', () => undefined);
      consumer.abandoned.addEventListener('abort', () => undefined);
    }
    expect(signals).toHaveLength(11);
    expect([...signals, consumer.abandoned].filter(hasWarned)).toEqual([]);
  });

  it('starts nothing while it is held, nor one beside another while it is throttled', async () => {
    const { consumer, work, begun } = await started();
    consumer.hold('test');
    consumer.throttle(true);
    deliver(work, 'w1', 'w2');
    expect(begun()).toEqual([]);
    consumer.release('test');
    expect(begun()).toEqual(['w1']);
    consumer.throttle(false);
    expect(begun()).toEqual(['w1', 'w2']);
    expect(work.log).toEqual([]);
  });
});

describe('what was set aside', () => {
  it('runs alone, once what was acked before it is safe', async () => {
    const { consumer, work, alone, finish, begun } = await started();
    deliver(work, 'w1');
    deliver(alone, 'a1');
    deliver(work, 'w2');
    await finish(0);
    await jest.advanceTimersByTimeAsync(249);
    // It has the place already, and nothing is begun beside it.
    expect([begun(), consumer.state.running]).toEqual([['w1'], 1]);
    await jest.advanceTimersByTimeAsync(1);
    expect(begun()).toEqual(['w1', 'a1']);
    await finish(1);
    // Its own ack too has to be safe from what may kill us next.
    await jest.advanceTimersByTimeAsync(249);
    expect(begun()).toEqual(['w1', 'a1']);
    await jest.advanceTimersByTimeAsync(1);
    expect(begun()).toEqual(['w1', 'a1', 'w2']);
  });

  it('waits also when nothing was acked here: another handler of this process may have', async () => {
    const { alone, begun } = await started();
    deliver(alone, 'a1');
    await jest.advanceTimersByTimeAsync(249);
    expect(begun()).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(begun()).toEqual(['a1']);
  });

  it('is told by its queue: what is due runs with others though it has starts on record', async () => {
    const { work, due, begun } = await started();
    deliver(work, 'w1');
    due.deliver({ messageId: 'd1', headers: { [HEADERS.starts]: 1 } });
    expect(begun()).toEqual(['w1', 'd1']);
  });

  it('takes turns with new work and with what is due', async () => {
    const { work, due, alone, finish, begun } = await started({ prefetch: 5, concurrency: 1 });
    deliver(work, 'w1', 'w2', 'w3');
    deliver(alone, 'a1');
    deliver(due, 'd1');
    for (let job = 0; job < 5; job++) {
      await jest.advanceTimersByTimeAsync(250);
      await finish(job);
    }
    expect(begun()).toEqual(['w1', 'd1', 'a1', 'w2', 'w3']);
  });

  it('is let out one at a time whatever the bounds become', async () => {
    const { consumer, alone } = await started();
    await consumer.resize({ prefetch: 100, concurrency: 50 });
    expect([alone.requests.length, alone.request.prefetch, alone.log]).toEqual([1, 1, []]);
  });

  it('is put back at once by a stop that comes while it waits, and never begun', async () => {
    const putBack = jest.fn(async (delivery: Delivery) => void delivery.ack());
    const { consumer, alone, begun } = await started({ putBack });
    deliver(alone, 'a1');
    await jest.advanceTimersByTimeAsync(100);
    const drained = watch(consumer.drain(1_000));
    await settled();
    expect([drained.isDone, begun(), putBack.mock.calls.length]).toEqual([true, [], 1]);
    expect(alone.log).toEqual(['cancel worker.1', 'ack 1', 'close']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is not begun, nor put back, when its channel is gone while it waits: it comes again', async () => {
    const putBack = jest.fn(async () => undefined);
    const { alone, channelOf, jobs } = await started({ putBack });
    deliver(alone, 'a1');
    alone.end('gone');
    await jest.advanceTimersByTimeAsync(250);
    expect([jobs, putBack.mock.calls]).toEqual([[], []]);
    channelOf('orders.alone').deliver({ messageId: 'a1', isRedelivered: true });
    await jest.advanceTimersByTimeAsync(250);
    expect(jobs).toMatchObject([{ ids: ['a1'], deliveries: [{ isSuspect: false }] }]);
  });

  it.each(['pause', 'drain'] as const)(
    'goes back its own way by a %s before its turn, so that no start is counted',
    async (how) => {
      const putBack = jest.fn(async (delivery: Delivery) => void delivery.ack());
      const { consumer, work, due, alone, jobs } = await started({ prefetch: 2, concurrency: 1, putBack });
      deliver(work, 'w1', 'w2');
      due.deliver({ messageId: 'd1' });
      alone.deliver({ messageId: 'set-aside', headers: { [HEADERS.starts]: 1 } });
      const done = how === 'pause' ? consumer.pause() : consumer.drain(1_000);
      await settled();
      expect(putBack.mock.calls.map(([{ message }]) => message.messageId)).toEqual(['set-aside']);
      expect([work, due, alone].map(({ log }) => log)).toEqual([
        ['cancel worker.1', 'give back 2'],
        ['cancel worker.1', 'give back 1'],
        ['cancel worker.1', 'ack 1'],
      ]);
      jobs[0]?.end();
      await done;
    },
  );
});

it('resizes in a row do not hoard the queue: what is beyond the new prefetch goes back', async () => {
  const { consumer, work } = await started({ prefetch: 3, concurrency: 1 });
  deliver(work, 'w1', 'w2', 'w3', 'w4');
  await consumer.resize({ prefetch: 2 });
  expect(work.log).toEqual(['cancel worker.1', 'give back 4']);
  expect(consumer.state).toMatchObject({ prefetch: 2, running: 1, waiting: 2 });
});

describe('a drain in a pause', () => {
  it('waits for what the pause is putting back before it closes its channel', async () => {
    const stored = gate();
    const putBack = (delivery: Delivery): Promise<void> => stored.promise.then(() => void delivery.ack());
    const { consumer, alone } = await started({ putBack });
    consumer.hold('test');
    deliver(alone, 'a1');
    const paused = consumer.pause();
    await settled();
    const drained = watch(consumer.drain(1_000));
    await settled();
    expect([drained.isDone, alone.log]).toEqual([false, ['cancel worker.1']]);
    stored.open();
    await paused;
    await settled();
    expect([drained.isDone, alone.log]).toEqual([true, ['cancel worker.1', 'ack 1', 'close']]);
  });
});

describe('a consumer that cannot start', () => {
  it.each([0, 1, 2])('for its subscription number %d leaves nothing open', async (failing) => {
    const { connection, consumer, telemetry } = setUp();
    let opened = 0;
    connection.beforeOpen = async () => {
      if (opened++ === failing) throw new Error('no more channels');
    };
    await expect(consumer.start()).rejects.toThrow('no more channels');
    await settled();
    expect(connection.consumeChannels.filter(({ isOpen }) => isOpen)).toEqual([]);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(connection.consumeChannels.length).toBeLessThan(3);
    expect([consumer.state.isWell, telemetry.named('consumer.stopped').length]).toEqual([false, 1]);
  });

  it('closes the channels that were still being opened when another failed', async () => {
    const { connection, consumer } = setUp();
    const opening = gate();
    let opened = 0;
    connection.beforeOpen = async () => {
      if (opened++ === 0) throw new Error('no more channels');
      await opening.promise;
    };
    await expect(consumer.start()).rejects.toThrow('no more channels');
    opening.open();
    await settled();
    expect(connection.consumeChannels.map(({ isOpen, requests }) => [isOpen, requests.length])).toEqual([
      [false, 0],
      [false, 0],
    ]);
  });
});

describe('resizing', () => {
  it('changes the bounds of its queue and the due queue, and tells', async () => {
    const { consumer, telemetry, work, due } = await started();
    await consumer.resize({ prefetch: 30, concurrency: 20, rate: '5/s' });
    expect(work.request).toMatchObject({ prefetch: 30, consumerTag: 'worker.2' });
    expect(due.request).toMatchObject({ prefetch: 5, consumerTag: 'worker.2' });
    expect(consumer.state).toMatchObject({ prefetch: 30, concurrency: 20, ratePerSec: 5 });
    expect(telemetry.named('consumer.resized')).toMatchObject([
      { queue: 'orders', prefetch: 30, concurrency: 20, ratePerSec: 5 },
    ]);
  });

  it('holds here at once, before the broker knows', async () => {
    const { consumer, work, begun } = await started({ prefetch: 5, concurrency: 1 });
    work.beforeCancelOk = never;
    deliver(work, 'w1', 'w2', 'w3');
    const resized = consumer.resize({ prefetch: 10, concurrency: 3 });
    expect(begun()).toEqual(['w1', 'w2', 'w3']);
    expect(consumer.state.concurrency).toBe(3);
    await jest.advanceTimersByTimeAsync(10_000);
    await resized;
  });

  it('lets what runs finish, and starts nothing beyond the new bound', async () => {
    const { consumer, work, finish, begun } = await started({ prefetch: 5, concurrency: 3 });
    deliver(work, 'w1', 'w2', 'w3', 'w4', 'w5');
    await consumer.resize({ concurrency: 1 });
    await finish(0);
    await finish(1);
    expect(begun()).toEqual(['w1', 'w2', 'w3']);
    await finish(2);
    expect(begun()).toEqual(['w1', 'w2', 'w3', 'w4']);
  });

  it.each([
    [{ prefetch: 2, concurrency: 3 }, 'expected prefetch >= concurrency'],
    [{ concurrency: 0, rate: '5/s' }, 'integers from 1 to 65535'],
    [{ prefetch: 10, rate: 'fast' }, 'expected a rate such as 200/s, 30/m, 1000/h or none, got: fast'],
  ])('by %j changes nothing and says why', async (change, reason) => {
    const { consumer, telemetry, work, due } = await started();
    const before = consumer.state;
    await expect(consumer.resize(change)).rejects.toThrow(ConfigurationError);
    await expect(consumer.resize(change)).rejects.toThrow(reason);
    expect(consumer.state).toEqual(before);
    expect([work.log, due.log, telemetry.named('consumer.resized')]).toEqual([[], [], []]);
  });

  it('of the rate alone asks the broker for nothing', async () => {
    const { consumer, work, due, begun } = await started({ ratePerSec: 0.01 });
    deliver(work, 'w1', 'w2');
    await consumer.resize({ rate: '10/s' });
    await jest.advanceTimersByTimeAsync(100);
    expect(begun()).toEqual(['w1', 'w2']);
    await consumer.resize({ rate: 'none' });
    expect(consumer.state.ratePerSec).toBeUndefined();
    expect([work.log, due.log]).toEqual([[], []]);
  });

  it('to fewer at a higher rate starts nothing beyond the new concurrency', async () => {
    const { consumer, work, finish, begun } = await started({
      prefetch: 5,
      concurrency: 5,
      ratePerSec: 0.01,
    });
    deliver(work, 'w1', 'w2', 'w3', 'w4', 'w5');
    await consumer.resize({ concurrency: 2, rate: 'none' });
    expect(begun()).toEqual(['w1', 'w2']);
    await finish(0);
    expect(begun()).toEqual(['w1', 'w2', 'w3']);
  });

  it('to more at a lower rate starts nothing beyond the new rate', async () => {
    const { consumer, work, begun } = await started({ prefetch: 5, concurrency: 1 });
    deliver(work, 'w1', 'w2', 'w3', 'w4', 'w5');
    await consumer.resize({ concurrency: 5, rate: '10/s' });
    expect(begun()).toEqual(['w1', 'w2']);
    await jest.advanceTimersByTimeAsync(100);
    expect(begun()).toEqual(['w1', 'w2', 'w3']);
  });

  it('twice in a row leads to the last', async () => {
    const { consumer, work, due } = await started();
    await Promise.all([
      consumer.resize({ prefetch: 40, concurrency: 40 }),
      consumer.resize({ concurrency: 20 }),
    ]);
    expect(consumer.state).toMatchObject({ prefetch: 40, concurrency: 20 });
    expect([work.request.prefetch, due.request.prefetch]).toEqual([40, 5]);
  });

  it('holds for the next channel where there is none at the moment', async () => {
    const { connection, consumer, channelOf } = await started();
    connection.lose();
    await settled();
    await consumer.resize({ prefetch: 9, concurrency: 8 });
    connection.comeBack();
    await jest.advanceTimersByTimeAsync(100);
    expect([channelOf('orders').request.prefetch, channelOf('orders.due').request.prefetch]).toEqual([9, 2]);
  });

  it('during a drain begins nothing', async () => {
    const { consumer, work, due, begun, finish } = await started({ prefetch: 3, concurrency: 1 });
    deliver(work, 'w1', 'w2');
    const drained = consumer.drain(1_000);
    await consumer.resize({ prefetch: 30, concurrency: 30 });
    expect(begun()).toEqual(['w1']);
    expect([work.requests.length, due.requests.length]).toEqual([1, 1]);
    await finish(0);
    await drained;
    expect(work.log).toEqual(['cancel worker.1', 'give back 2', 'ack 1', 'close']);
  });
});

describe('pausing', () => {
  it('gives back what has not started, and nothing before the broker agreed to the cancel', async () => {
    const { consumer, telemetry, work, due, begun } = await started();
    const cancelOk = gate();
    work.beforeCancelOk = () => cancelOk.promise;
    deliver(work, 'w1', 'w2', 'w3');
    deliver(due, 'd1');
    const paused = watch(consumer.pause());
    await settled();
    deliver(work, 'late');
    expect([paused.isDone, work.log, due.log]).toEqual([false, ['cancel worker.1'], ['cancel worker.1']]);
    cancelOk.open();
    await settled();
    expect(paused.isDone).toBe(true);
    expect(work.log).toEqual(['cancel worker.1', 'give back 3', 'give back 4']);
    expect(due.log).toEqual(['cancel worker.1', 'give back 1']);
    expect(begun()).toEqual(['w1', 'w2']);
    expect(telemetry.events.at(-1)).toEqual({ name: 'consumer.paused', queue: 'orders' });
  });

  it('lets running handlers finish, and starts nothing in their place', async () => {
    const { consumer, work, finish, begun } = await started({ prefetch: 3, concurrency: 1 });
    const cancelOk = gate();
    work.beforeCancelOk = () => cancelOk.promise;
    deliver(work, 'w1', 'w2');
    const paused = consumer.pause();
    await settled();
    await finish(0);
    expect(begun()).toEqual(['w1']);
    expect(work.log).toEqual(['cancel worker.1', 'ack 1']);
    cancelOk.open();
    await paused;
  });

  it('ends with a new consumer on each queue', async () => {
    const { consumer, telemetry, work, due, begun } = await started();
    await consumer.pause();
    await consumer.resume();
    expect([work.request.consumerTag, due.request.consumerTag]).toEqual(['worker.2', 'worker.2']);
    deliver(work, 'w1');
    expect(begun()).toEqual(['w1']);
    expect(telemetry.events.at(-1)).toEqual({ name: 'consumer.resumed', queue: 'orders' });
  });

  it('that ends before the broker agreed gives nothing back', async () => {
    const { consumer, work, begun, finish } = await started({ prefetch: 3, concurrency: 1 });
    const cancelOk = gate();
    work.beforeCancelOk = () => cancelOk.promise;
    deliver(work, 'w1', 'w2');
    const paused = consumer.pause();
    await settled();
    const resumed = consumer.resume();
    cancelOk.open();
    await Promise.all([paused, resumed]);
    expect(work.log).toEqual(['cancel worker.1']);
    expect(work.request.consumerTag).toBe('worker.2');
    await finish(0);
    expect(begun()).toEqual(['w1', 'w2']);
  });

  it('again before the broker agreed to the first one ends paused', async () => {
    const { consumer, work, due, begun } = await started({ prefetch: 3, concurrency: 1 });
    const cancelOk = gate();
    work.beforeCancelOk = () => cancelOk.promise;
    deliver(work, 'w1', 'w2');
    const changes = [consumer.pause(), consumer.resume(), consumer.pause()];
    await settled();
    cancelOk.open();
    await Promise.all(changes);
    expect(work.log).toEqual(['cancel worker.1', 'give back 2']);
    expect([work.requests.length, due.requests.length, begun().length]).toEqual([1, 1, 1]);
    expect(consumer.state.isPaused).toBe(true);
  });

  it('lasts across reconnects', async () => {
    const { connection, consumer, channelOf } = await started();
    await consumer.pause();
    connection.lose();
    connection.comeBack();
    await jest.advanceTimersByTimeAsync(100);
    expect(connection.consumeChannels).toHaveLength(6);
    expect(connection.consumeChannels.slice(3).flatMap(({ requests }) => requests)).toEqual([]);
    expect(consumer.state).toMatchObject({ isPaused: true, isWell: true });
    await consumer.resume();
    expect(channelOf('orders').request.consumerTag).toBe('worker.2');
  });
});

describe('holding new work', () => {
  it('begins none of it, while what is due and what runs alone go on', async () => {
    const { consumer, work, due, alone, finish, begun } = await started({ prefetch: 4, concurrency: 1 });
    deliver(work, 'w1', 'w2');
    deliver(due, 'd1', 'd2');
    deliver(alone, 'a1');
    consumer.holdWork();
    for (let job = 0; job < 4; job++) {
      await finish(job);
      await jest.advanceTimersByTimeAsync(250);
    }
    expect(begun()).toEqual(['w1', 'd1', 'a1', 'd2']);
    expect(consumer.state).toMatchObject({ running: 0, waiting: 1 });
    consumer.releaseWork();
    expect(begun().at(-1)).toBe('w2');
  });

  it('keeps what was delivered here and the queue its consumer', async () => {
    const { consumer, work, begun } = await started();
    consumer.holdWork();
    deliver(work, 'w1', 'w2', 'w3');
    await jest.advanceTimersByTimeAsync(60_000);
    expect([begun(), work.log, work.requests.length]).toEqual([[], [], 1]);
    expect(consumer.state).toMatchObject({ isPaused: false, isWell: true, waiting: 3 });
    consumer.releaseWork();
    expect([begun(), work.log]).toEqual([['w1', 'w2'], []]);
  });

  it('outlasts the end of a pause, which gives back what was held', async () => {
    const { consumer, work, begun } = await started();
    consumer.holdWork();
    deliver(work, 'w1');
    await consumer.pause();
    expect(work.log).toEqual(['cancel worker.1', 'give back 1']);
    await consumer.resume();
    deliver(work, 'w2');
    expect(begun()).toEqual([]);
    consumer.releaseWork();
    expect(begun()).toEqual(['w2']);
  });

  it('lasts across reconnects', async () => {
    const { connection, consumer, channelOf, begun } = await started();
    consumer.holdWork();
    connection.lose();
    connection.comeBack();
    await jest.advanceTimersByTimeAsync(100);
    deliver(channelOf('orders'), 'w1');
    expect(begun()).toEqual([]);
    consumer.releaseWork();
    expect(begun()).toEqual(['w1']);
  });

  it('gives it back with a drain, and a release in it begins nothing', async () => {
    const { consumer, work, begun } = await started();
    consumer.holdWork();
    deliver(work, 'w1');
    const drained = consumer.drain(1_000);
    consumer.releaseWork();
    await drained;
    expect([begun(), work.log]).toEqual([[], ['cancel worker.1', 'give back 1', 'close']]);
  });
});

describe('a consumer whose channel is gone', () => {
  it('ends only what came on that channel', async () => {
    const { connection, consumer, work, due, jobs, channelOf } = await started({
      prefetch: 5,
      concurrency: 4,
    });
    deliver(work, 'w1');
    deliver(due, 'd1');
    work.end('gone');
    await settled();
    const endings = jobs.flatMap(({ deliveries }) => deliveries.map(({ source }) => source.ending.aborted));
    expect(endings).toEqual([true, false]);
    expect(consumer.abandoned.aborted).toBe(false);
    await jest.advanceTimersByTimeAsync(100);
    deliver(channelOf('orders'), 'w2');
    expect(connection.consumeChannels).toHaveLength(4);
    expect(jobs[2]?.deliveries[0]?.source.ending.aborted).toBe(false);
  });

  it('keeps its bound: handlers of the old channel hold their places', async () => {
    const { connection, consumer, work, finish, channelOf, begun } = await started();
    deliver(work, 'w1', 'w2');
    connection.lose();
    connection.comeBack();
    await jest.advanceTimersByTimeAsync(100);
    deliver(channelOf('orders'), 'w3', 'w4');
    expect(consumer.state.running).toBe(2);
    await finish(0);
    expect(begun()).toEqual(['w1', 'w2', 'w3']);
    expect(consumer.state.running).toBe(2);
  });

  it('never starts what waited on the old channel: the broker delivers it again', async () => {
    const { connection, work, finish, channelOf, begun } = await started({ prefetch: 3, concurrency: 1 });
    deliver(work, 'w1', 'w2', 'w3');
    connection.lose();
    // At this very moment, before anybody was told.
    work.deliver({ messageId: 'w4' });
    await finish(0);
    expect(begun()).toEqual(['w1']);
    connection.comeBack();
    await jest.advanceTimersByTimeAsync(100);
    deliver(channelOf('orders'), 'w2');
    expect(begun()).toEqual(['w1', 'w2']);
  });

  it('keeps nothing that came on a channel that is gone already', async () => {
    const { consumer, work, alone, begun } = await started();
    alone.end('gone');
    deliver(alone, 'a1');
    await settled();
    deliver(work, 'w1', 'w2');
    expect([begun(), consumer.state.waiting]).toEqual([['w1', 'w2'], 0]);
    deliver(alone, 'a2');
    expect(consumer.state.waiting).toBe(0);
  });

  it('starts nothing of a batch that came on a channel that is gone by then', async () => {
    const { consumer, work, due, jobs } = await started({ batch: { size: 3, maxWaitMs: 100 } });
    consumer.hold('test');
    deliver(work, 'w1', 'w2');
    deliver(due, 'd1');
    work.isOpen = false;
    consumer.release('test');
    await settled();
    expect(jobs.map(({ ids }) => ids)).toEqual([['d1']]);
  });

  it('lets others start that what waited on it kept from starting', async () => {
    const { work, alone, begun } = await started({ prefetch: 5, concurrency: 5 });
    deliver(work, 'w1');
    deliver(alone, 'a1');
    deliver(work, 'w2');
    expect(begun()).toEqual(['w1']);
    alone.end('gone');
    await settled();
    expect(begun()).toEqual(['w1', 'w2']);
  });

  it('tells how many acks never got out', async () => {
    const { telemetry, work, due } = await started();
    work.unwrittenAcks = 3;
    work.end('gone');
    due.end('gone');
    await settled();
    expect(telemetry.named('acks.lost')).toMatchObject([{ queue: 'orders', count: 3 }]);
  });

  it('tells that also while it drains', async () => {
    const { consumer, telemetry, work, finish } = await started();
    deliver(work, 'w1');
    const drained = consumer.drain(1_000);
    work.unwrittenAcks = 1;
    work.end('gone');
    await finish(0);
    await drained;
    expect(telemetry.named('acks.lost')).toMatchObject([{ queue: 'orders', count: 1 }]);
  });
});

describe('a message that comes again', () => {
  const again = (channel: FakeConsumeChannel, messageId: string): void =>
    void channel.deliver({ messageId, isRedelivered: true });

  /** Suspects are handed to it, in order. */
  const asides = () => {
    const ids: Array<string | undefined> = [];
    const setAside = async (delivery: Delivery): Promise<void> => {
      ids.push(delivery.message.messageId);
      delivery.ack();
    };
    return { ids, setAside };
  };

  it('is a suspect when this process does not know what became of it: set aside, not begun', async () => {
    const { ids, setAside } = asides();
    const { work, due, alone, begun } = await started({ setAside });
    for (const [channel, id] of [
      [work, 'w1'],
      [due, 'd1'],
      [alone, 'a1'],
    ] as const)
      again(channel, id);
    await settled();
    deliver(work, 'w2');
    await jest.advanceTimersByTimeAsync(1_000);
    expect([ids, begun()]).toEqual([['w1', 'd1', 'a1'], ['w2']]);
  });

  it('takes no place and no turn as a suspect, and holds nothing up while it is being set aside', async () => {
    const stored = gate();
    const { work, begun, consumer } = await started({
      concurrency: 1,
      setAside: () => stored.promise,
    });
    again(work, 'w1');
    deliver(work, 'w2');
    expect([begun(), consumer.state]).toMatchObject([['w2'], { running: 1, waiting: 0 }]);
    const drained = watch(consumer.drain(60_000));
    await jest.advanceTimersByTimeAsync(1_000);
    expect(drained.isDone).toBe(false);
    stored.open();
  });

  it('once set aside lets nothing begin until its ack is safe: that might kill us, and there would be two', async () => {
    const { work, begun, jobs, finish } = await started({ concurrency: 1 });
    again(work, 'w1');
    await settled();
    deliver(work, 'w2');
    await jest.advanceTimersByTimeAsync(200);
    again(work, 'w3');
    await jest.advanceTimersByTimeAsync(249);
    expect(begun()).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(begun()).toEqual(['w2']);
    expect(jobs).toHaveLength(1);
    await finish(0);
  });

  it('is none when it was lost with a channel while it waited; what ran may be why it was lost', async () => {
    const { ids, setAside } = asides();
    const { connection, work, begun, finish, channelOf } = await started({ setAside });
    deliver(work, 'w1', 'w2', 'w3');
    connection.lose();
    connection.comeBack();
    await jest.advanceTimersByTimeAsync(100);
    for (const id of ['w3', 'w1', 'w4']) again(channelOf('orders'), id);
    await finish(0);
    await finish(1);
    await jest.advanceTimersByTimeAsync(250);
    expect([begun(), ids]).toEqual([
      ['w1', 'w2', 'w3'],
      ['w1', 'w4'],
    ]);
  });

  it('is none when it was given back by a pause', async () => {
    const { consumer, work, jobs, finish } = await started({ prefetch: 2, concurrency: 1 });
    deliver(work, 'w1', 'w2');
    await consumer.pause();
    await finish(0);
    await consumer.resume();
    again(work, 'w2');
    expect(jobs[1]).toMatchObject({ ids: ['w2'], deliveries: [{ isSuspect: false }] });
  });

  it('is none when whoever settles gave it back', async () => {
    const { work, jobs } = await started();
    deliver(work, 'w1');
    jobs[0]?.deliveries[0]?.giveBack();
    again(work, 'w1');
    expect(jobs[1]).toMatchObject({ ids: ['w1'], deliveries: [{ isSuspect: false }] });
  });

  it('is none when it came on a channel that was gone', async () => {
    const { work, jobs, channelOf } = await started();
    work.end('gone');
    deliver(work, 'w1');
    await jest.advanceTimersByTimeAsync(100);
    again(channelOf('orders'), 'w1');
    expect(jobs).toMatchObject([{ ids: ['w1'], deliveries: [{ isSuspect: false }] }]);
  });

  it('is none when its channel was lost while it was being put back', async () => {
    const stored = gate();
    const { connection, consumer, alone, jobs, channelOf } = await started({
      putBack: () => stored.promise,
    });
    consumer.hold('test');
    deliver(alone, 'a1');
    const paused = consumer.pause();
    await settled();
    connection.lose();
    connection.comeBack();
    consumer.release('test');
    await consumer.resume();
    await jest.advanceTimersByTimeAsync(1_000);
    again(channelOf('orders.alone'), 'a1');
    await jest.advanceTimersByTimeAsync(250);
    expect(jobs).toMatchObject([{ ids: ['a1'], deliveries: [{ isSuspect: false }] }]);
    stored.open();
    await paused;
  });

  it('is none within a second of a cancel of ours: a quorum queue gives back what was on its way', async () => {
    const { ids, setAside } = asides();
    const { consumer, work, begun } = await started({ prefetch: 4, concurrency: 4, setAside });
    await consumer.resize({ prefetch: 5 });
    again(work, 'on-its-way');
    await jest.advanceTimersByTimeAsync(1_000);
    again(work, 'stranger');
    expect([begun(), ids]).toEqual([['on-its-way'], ['stranger']]);
  });

  it('stays a suspect when it is lost as one: this process never began it', async () => {
    const stored = gate();
    const ids: Array<string | undefined> = [];
    const { connection, work, channelOf } = await started({
      setAside: ({ message }) => {
        ids.push(message.messageId);
        return stored.promise;
      },
    });
    again(work, 'killer');
    connection.lose();
    connection.comeBack();
    await jest.advanceTimersByTimeAsync(100);
    again(channelOf('orders'), 'killer');
    expect(ids).toEqual(['killer', 'killer']);
    stored.open();
    await settled();
  });
});

describe('draining', () => {
  it('cancels, then gives back what has not started, lets the rest finish, then closes', async () => {
    const { consumer, telemetry, work, due, finish } = await started();
    deliver(work, 'w1', 'w2', 'w3');
    deliver(due, 'd1');
    const drained = watch(consumer.drain(1_000));
    await settled();
    expect(work.log).toEqual(['cancel worker.1', 'give back 3']);
    expect(due.log).toEqual(['cancel worker.1', 'give back 1']);
    await finish(0);
    expect(drained.isDone).toBe(false);
    await finish(1);
    expect(drained.isDone).toBe(true);
    expect(work.log).toEqual(['cancel worker.1', 'give back 3', 'ack 1', 'ack 2', 'close']);
    expect(due.log.at(-1)).toBe('close');
    expect(telemetry.events.at(-1)).toEqual({ name: 'consumer.stopped', queue: 'orders' });
  });

  it('starts nothing more, also while the broker takes its time to cancel', async () => {
    const { consumer, work, finish, begun } = await started({ prefetch: 2, concurrency: 1 });
    const cancelOk = gate();
    work.beforeCancelOk = () => cancelOk.promise;
    deliver(work, 'w1', 'w2');
    const drained = watch(consumer.drain(1_000));
    await settled();
    await finish(0);
    expect(begun()).toEqual(['w1']);
    expect(work.log).toEqual(['cancel worker.1', 'ack 1']);
    cancelOk.open();
    await settled();
    expect(work.log).toEqual(['cancel worker.1', 'ack 1', 'give back 2', 'close']);
    expect(drained.isDone).toBe(true);
  });

  it('starts nothing more, whatever hold is released and limit changed meanwhile', async () => {
    const { consumer, work, begun } = await started({ prefetch: 4, concurrency: 1 });
    work.beforeCancelOk = never;
    consumer.hold('test');
    deliver(work, 'w1');
    const drained = consumer.drain(1_000);
    consumer.release('test');
    consumer.throttle(false);
    void consumer.resume();
    await jest.advanceTimersByTimeAsync(10_000);
    await drained;
    expect(begun()).toEqual([]);
  });

  it('ends at its deadline also when the broker never answers the cancel', async () => {
    const { consumer, work } = await started();
    work.beforeCancelOk = never;
    const drained = watch(consumer.drain(1_000));
    await jest.advanceTimersByTimeAsync(2_000);
    expect(drained.isDone).toBe(true);
    expect(work.isOpen).toBe(false);
  });

  it('lets running handlers settle though the broker never answers the cancel', async () => {
    const { consumer, work, finish } = await started();
    work.beforeCancelOk = never;
    deliver(work, 'w1');
    const drained = watch(consumer.drain(10_000));
    await jest.advanceTimersByTimeAsync(5_000);
    await finish(0);
    expect(drained.isDone).toBe(true);
    expect(work.log).toEqual(['cancel worker.1', 'ack 1', 'close']);
  });

  it('gives back deliveries that arrive while it stops', async () => {
    const { consumer, work, finish, begun } = await started();
    deliver(work, 'w1');
    const drained = consumer.drain(1_000);
    const late = work.deliver();
    expect(work.log).toContain(`give back ${late}`);
    expect(begun()).toHaveLength(1);
    await finish(0);
    await drained;
  });

  it('tells handlers at once, aborts them after the deadline, and closes on those that ignore it', async () => {
    const { consumer, work, jobs } = await started();
    deliver(work, 'w1');
    const drained = watch(consumer.drain(1_000));
    expect(consumer.stopping.aborted).toBe(true);
    expect(jobs[0]?.deliveries[0]?.source.ending.aborted).toBe(true);
    await jest.advanceTimersByTimeAsync(999);
    expect(consumer.abandoned.aborted).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(consumer.abandoned.aborted).toBe(true);
    expect(consumer.abandoned.reason).toEqual(new Error('the drain deadline has passed'));
    expect(drained.isDone).toBe(false);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(drained.isDone).toBe(true);
    expect(jobs[0]?.deliveries[0]?.ack()).toBe(false);
  });

  it('lets an aborted handler that ends in time settle', async () => {
    const { consumer, work, jobs } = await started();
    deliver(work, 'w1');
    const drained = consumer.drain(1_000);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(jobs[0]?.deliveries[0]?.giveBack()).toBe(true);
    jobs[0]?.end();
    await drained;
    expect(work.log).toEqual(['cancel worker.1', 'give back 1', 'close']);
  });

  it('is done once: a second call waits for the first', async () => {
    const { consumer, telemetry, work, finish } = await started();
    deliver(work, 'w1');
    const drains = [watch(consumer.drain(1_000)), watch(consumer.drain(1))];
    await jest.advanceTimersByTimeAsync(500);
    expect(drains.map(({ isDone }) => isDone)).toEqual([false, false]);
    await finish(0);
    expect(drains.map(({ isDone }) => isDone)).toEqual([true, true]);
    expect(work.log.filter((line) => line.startsWith('cancel'))).toHaveLength(1);
    expect(telemetry.named('consumer.stopped')).toHaveLength(1);
  });

  it('after a pause, and while one waits for the broker, ends well', async () => {
    const { consumer, work, begun } = await started({ prefetch: 2, concurrency: 1 });
    const cancelOk = gate();
    work.beforeCancelOk = () => cancelOk.promise;
    consumer.hold('test');
    deliver(work, 'w1');
    const paused = consumer.pause();
    await settled();
    const drained = consumer.drain(1_000);
    cancelOk.open();
    await Promise.all([paused, drained]);
    expect([work.log, begun()]).toEqual([['cancel worker.1', 'give back 1', 'close'], []]);
  });

  it('cuts the wait for a batch and for a token short, and leaves no timer', async () => {
    const batch = await started({ batch: { size: 3, maxWaitMs: 60_000 } });
    deliver(batch.work, 'w1');
    await batch.consumer.drain(1_000);
    const rate = await started({ ratePerSec: 0.001 });
    deliver(rate.work, 'w1', 'w2');
    await rate.finish(0);
    await rate.consumer.drain(1_000);
    expect([batch.begun(), rate.begun(), jest.getTimerCount()]).toEqual([[], ['w1'], 0]);
  });

  it('leaves no consumer when it comes while it starts', async () => {
    const { connection, consumer } = setUp();
    const opening = gate();
    connection.beforeOpen = () => opening.promise;
    const starting = consumer.start();
    await consumer.drain(1_000);
    opening.open();
    await starting;
    await settled();
    expect(connection.consumeChannels.map(({ isOpen, requests }) => [isOpen, requests.length])).toEqual(
      Array(3).fill([false, 0]),
    );
    expect(consumer.state.isWell).toBe(false);
  });

  it('leaves no consumer when it comes while the connection is away', async () => {
    const { connection, consumer } = await started();
    connection.lose();
    await jest.advanceTimersByTimeAsync(1_000);
    await consumer.drain(1_000);
    connection.comeBack();
    await jest.advanceTimersByTimeAsync(10_000);
    expect(connection.consumeChannels).toHaveLength(3);
    expect(consumer.state.isWell).toBe(false);
  });

  it('leaves no consumer when it comes while a channel is being opened', async () => {
    const { connection, consumer, telemetry, work, begun } = await started();
    const opening = gate();
    connection.beforeOpen = () => opening.promise;
    work.end('gone');
    await jest.advanceTimersByTimeAsync(100);
    await consumer.drain(1_000);
    opening.open();
    await settled();
    expect(connection.consumeChannels.filter(({ isOpen }) => isOpen)).toEqual([]);
    expect(telemetry.events.at(-1)).toMatchObject({ name: 'consumer.stopped' });
    expect(begun()).toEqual([]);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(connection.consumeChannels).toHaveLength(4);
  });
});
