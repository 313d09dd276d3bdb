import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  FakeConnection,
  fakeableTimers,
  gate,
  RecordingTelemetry,
  settled,
  endFakeTime,
} from '../../../../test/support/fake-broker.js';
import type { Delivery } from './delivery.js';
import type { DeliveryWork, WorkSignals } from './queue-consumer.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { QueueConsumer } = await import('./queue-consumer.js');

interface Job {
  readonly delivery: Delivery;
  readonly signals: WorkSignals;
  end(): void;
}

async function setUp({ prefetch = 3, concurrency = 2 } = {}) {
  const connection = new FakeConnection();
  const telemetry = new RecordingTelemetry();
  const jobs: Job[] = [];
  const work: DeliveryWork = (delivery, signals) => {
    const end = gate();
    jobs.push({ delivery, signals, end: end.open });
    return end.promise;
  };
  const options = { queue: 'orders', prefetch, concurrency, tag: 'worker' };
  const consumer = new QueueConsumer(connection, options, work, telemetry);
  await consumer.start();
  /** Ends a job as the pipeline does: settled first. */
  const finish = async (index: number): Promise<void> => {
    jobs[index]?.delivery.ack();
    jobs[index]?.end();
    await settled();
  };
  return { connection, consumer, telemetry, jobs, finish };
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

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(endFakeTime);

describe('a consumer', () => {
  it('asks for its prefetch and says that it has started', async () => {
    const { connection, consumer, telemetry } = await setUp();
    expect(connection.consumeChannel.request).toMatchObject({
      queue: 'orders',
      prefetch: 3,
      consumerTag: 'worker.1',
    });
    expect(telemetry.events).toEqual([
      { name: 'consumer.started', queue: 'orders', prefetch: 3, concurrency: 2 },
    ]);
    expect(consumer.isConsuming).toBe(true);
  });

  it('tells running work that nothing more should begin once its channel is gone, and only that work', async () => {
    const { connection, jobs } = await setUp();
    const lost = connection.consumeChannel;
    lost.deliver();
    lost.end('channel closed');
    await settled();
    expect(jobs[0]?.signals.stopping.aborted).toBe(true);
    expect(jobs[0]?.signals.abandoned.aborted).toBe(false);
    await jest.advanceTimersByTimeAsync(100);
    connection.consumeChannel.deliver();
    expect(connection.consumeChannel).not.toBe(lost);
    expect(jobs[1]?.signals.stopping.aborted).toBe(false);
  });

  it('runs no more handlers than its concurrency', async () => {
    const { connection, consumer, jobs, finish } = await setUp();
    for (let i = 0; i < 3; i++) connection.consumeChannel.deliver();
    expect(consumer.runningCount).toBe(2);
    await finish(0);
    expect(jobs).toHaveLength(3);
    expect(consumer.runningCount).toBe(2);
  });

  it('lets any number of handlers watch its signals without a warning', async () => {
    const { connection, jobs } = await setUp({ prefetch: 11, concurrency: 11 });
    for (let i = 0; i < 11; i++) connection.consumeChannel.deliver();
    for (const { signals } of jobs) {
      signals.stopping.addEventListener('abort', () => undefined);
      signals.abandoned.addEventListener('abort', () => undefined);
    }
    expect(Object.values(jobs[0]?.signals ?? {}).map(hasWarned)).toEqual([false, false]);
  });
});

describe('a consumer whose channel is gone', () => {
  it('subscribes anew with a tag that was never used', async () => {
    const { connection, consumer, telemetry } = await setUp();
    connection.consumeChannel.end('PRECONDITION_FAILED');
    await settled();
    expect(consumer.isConsuming).toBe(false);
    expect(telemetry.named('consumer.lost')).toMatchObject([
      { reason: 'PRECONDITION_FAILED', retryInMs: 100 },
    ]);
    await jest.advanceTimersByTimeAsync(100);
    expect(connection.consumeChannels).toHaveLength(2);
    expect(connection.consumeChannel.request.consumerTag).toBe('worker.2');
    expect(consumer.isConsuming).toBe(true);
  });

  it('waits for the connection, and for as long as it takes', async () => {
    const { connection, consumer, telemetry } = await setUp();
    connection.lose();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(connection.consumeChannels).toHaveLength(1);
    let failures = 8;
    connection.beforeOpen = async () => {
      if (failures-- > 0) throw new Error('no channel');
    };
    connection.comeBack();
    await jest.advanceTimersByTimeAsync(30_000);
    expect(consumer.isConsuming).toBe(true);
    const waits = telemetry.named('consumer.lost').map(({ retryInMs }) => retryInMs);
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  });

  it('keeps its bound: handlers of the old channel hold their places', async () => {
    const { connection, consumer, jobs, finish } = await setUp();
    connection.consumeChannel.deliver();
    connection.consumeChannel.deliver();
    connection.lose();
    connection.comeBack();
    await jest.advanceTimersByTimeAsync(100);
    connection.consumeChannel.deliver();
    connection.consumeChannel.deliver();
    expect(consumer.runningCount).toBe(2);
    await finish(0);
    expect(jobs).toHaveLength(3);
    expect(consumer.runningCount).toBe(2);
  });

  it('never starts what waited on the old channel: the broker delivers it again', async () => {
    const { connection, jobs, finish } = await setUp({ prefetch: 3, concurrency: 1 });
    for (let i = 0; i < 3; i++) connection.consumeChannel.deliver();
    connection.lose();
    await settled();
    await finish(0);
    expect(jobs).toHaveLength(1);
    connection.comeBack();
    await jest.advanceTimersByTimeAsync(100);
    connection.consumeChannel.deliver();
    expect(jobs).toHaveLength(2);
  });

  it('subscribes anew on another channel when the broker cancels it, giving back what has not started', async () => {
    const { connection, consumer, telemetry } = await setUp({ prefetch: 2, concurrency: 1 });
    const first = connection.consumeChannel;
    first.deliver();
    first.deliver();
    first.request.onCancelled();
    await settled();
    expect(first.log).toEqual(['give back 2', 'close']);
    expect(telemetry.named('consumer.lost')).toMatchObject([{ reason: 'the broker cancelled the consumer' }]);
    await jest.advanceTimersByTimeAsync(100);
    expect(connection.consumeChannel.request.consumerTag).toBe('worker.2');
    expect(consumer.isConsuming).toBe(true);
  });
});

describe('draining a consumer', () => {
  it('cancels, then gives back what has not started, lets the rest finish, then closes', async () => {
    const { connection, consumer, telemetry, finish } = await setUp();
    const channel = connection.consumeChannel;
    for (let i = 0; i < 3; i++) channel.deliver();
    const drained = watch(consumer.drain(1_000));
    await settled();
    expect(channel.log).toEqual(['cancel worker.1', 'give back 3']);
    await finish(0);
    expect(drained.isDone).toBe(false);
    await finish(1);
    expect(drained.isDone).toBe(true);
    expect(channel.log).toEqual(['cancel worker.1', 'give back 3', 'ack 1', 'ack 2', 'close']);
    expect(telemetry.events.at(-1)).toEqual({ name: 'consumer.stopped', queue: 'orders' });
  });

  it('starts nothing more, also while the broker takes its time to cancel', async () => {
    const { connection, consumer, jobs, finish } = await setUp({ prefetch: 2, concurrency: 1 });
    const channel = connection.consumeChannel;
    const cancelOk = gate();
    channel.beforeCancelOk = () => cancelOk.promise;
    channel.deliver();
    channel.deliver();
    const drained = watch(consumer.drain(1_000));
    await finish(0);
    expect(jobs).toHaveLength(1);
    expect(channel.log).toEqual(['cancel worker.1', 'ack 1']);
    cancelOk.open();
    await settled();
    expect(channel.log).toEqual(['cancel worker.1', 'ack 1', 'give back 2', 'close']);
    expect(drained.isDone).toBe(true);
  });

  it('ends at its deadline also when the broker never answers the cancel', async () => {
    const { connection, consumer } = await setUp();
    connection.consumeChannel.beforeCancelOk = () => new Promise(() => undefined);
    const drained = watch(consumer.drain(1_000));
    await jest.advanceTimersByTimeAsync(2_000);
    expect(drained.isDone).toBe(true);
    expect(connection.consumeChannel.isOpen).toBe(false);
  });

  it('gives back deliveries that arrive while it stops', async () => {
    const { connection, consumer, jobs, finish } = await setUp();
    const channel = connection.consumeChannel;
    channel.deliver();
    const drained = consumer.drain(1_000);
    const late = channel.deliver();
    expect(channel.log).toContain(`give back ${late}`);
    expect(jobs).toHaveLength(1);
    await finish(0);
    await drained;
  });

  it('tells handlers at once, aborts them after the deadline, and closes on those that ignore it', async () => {
    const { connection, consumer, jobs } = await setUp();
    connection.consumeChannel.deliver();
    const drained = watch(consumer.drain(1_000));
    const signals = jobs[0]?.signals;
    expect(signals?.stopping.aborted).toBe(true);
    await jest.advanceTimersByTimeAsync(999);
    expect(signals?.abandoned.aborted).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(signals?.abandoned.aborted).toBe(true);
    expect(drained.isDone).toBe(false);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(drained.isDone).toBe(true);
    expect(jobs[0]?.delivery.ack()).toBe(false);
  });

  it('lets an aborted handler that ends in time settle', async () => {
    const { connection, consumer, jobs } = await setUp();
    connection.consumeChannel.deliver();
    const drained = consumer.drain(1_000);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(jobs[0]?.delivery.giveBack()).toBe(true);
    jobs[0]?.end();
    await drained;
    expect(connection.consumeChannel.log).toEqual(['cancel worker.1', 'give back 1', 'close']);
  });

  it('is done once: a second call waits for the first', async () => {
    const { connection, consumer, finish } = await setUp();
    connection.consumeChannel.deliver();
    const drains = [watch(consumer.drain(1_000)), watch(consumer.drain(1))];
    await jest.advanceTimersByTimeAsync(500);
    expect(drains.map(({ isDone }) => isDone)).toEqual([false, false]);
    await finish(0);
    expect(drains.map(({ isDone }) => isDone)).toEqual([true, true]);
    expect(connection.consumeChannel.log.filter((line) => line.startsWith('cancel'))).toHaveLength(1);
  });

  it('leaves no consumer when it comes while the connection is away', async () => {
    const { connection, consumer } = await setUp();
    connection.lose();
    await jest.advanceTimersByTimeAsync(1_000);
    await consumer.drain(1_000);
    connection.comeBack();
    await jest.advanceTimersByTimeAsync(10_000);
    expect(connection.consumeChannels).toHaveLength(1);
    expect(consumer.isConsuming).toBe(false);
  });

  it('leaves no consumer when it comes while a channel is being opened', async () => {
    const { connection, consumer, telemetry, jobs } = await setUp();
    const opening = gate();
    connection.beforeOpen = () => opening.promise;
    connection.consumeChannel.end('gone');
    await jest.advanceTimersByTimeAsync(100);
    await consumer.drain(1_000);
    opening.open();
    await settled();
    expect(connection.consumeChannels.filter(({ isOpen }) => isOpen)).toEqual([]);
    expect(telemetry.events.at(-1)).toMatchObject({ name: 'consumer.stopped' });
    expect(jobs).toEqual([]);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(connection.consumeChannels).toHaveLength(2);
  });
});
