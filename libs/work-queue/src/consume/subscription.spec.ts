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
import type { ConsumeChannel, IncomingMessage } from '../broker/broker.port.js';
import type { DeliverySource } from './delivery.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { Subscription } = await import('./subscription.js');

const close = fakeTimeInEachTest();
const never = (): Promise<void> => new Promise(() => undefined);

function setUp() {
  const connection = new FakeConnection();
  const telemetry = new RecordingTelemetry();
  const received: Array<{ message: IncomingMessage; source: DeliverySource }> = [];
  const lost: ConsumeChannel[] = [];
  const subscriber = {
    received: (message: IncomingMessage, source: DeliverySource) => void received.push({ message, source }),
    lost: ({ channel }: DeliverySource) => void lost.push(channel),
  };
  const steps: string[] = [];
  const restore = async (): Promise<void> => void steps.push('restore');
  const options = { queue: 'orders', lane: 'work' as const, prefetch: 10, tag: 'worker', restore };
  const subscription = new Subscription(connection, options, subscriber, telemetry);
  close(() => subscription.close());
  return { connection, telemetry, received, lost, subscription, steps };
}

async function started() {
  const context = setUp();
  await context.subscription.start();
  return { ...context, channel: context.connection.consumeChannel };
}

/** What was asked of the channel, in order, since now. */
function watch(channel: FakeConsumeChannel): string[] {
  const asked: string[] = [];
  const { beforeCancelOk, beforeConsumeOk } = channel;
  channel.beforeConsumeOk = () => {
    asked.push(`consume ${channel.request.consumerTag} ${channel.request.prefetch}`);
    return beforeConsumeOk();
  };
  channel.beforeCancelOk = () => {
    asked.push(channel.log.at(-1) ?? '');
    return beforeCancelOk();
  };
  return asked;
}

describe('a subscription', () => {
  it('consumes with its prefetch, hands over what comes, and says that it has started', async () => {
    const { channel, subscription, telemetry, received } = await started();
    expect(channel.request).toMatchObject({ queue: 'orders', prefetch: 10, consumerTag: 'worker.1' });
    expect(telemetry.events).toEqual([{ name: 'consumer.started', queue: 'orders', prefetch: 10 }]);
    channel.deliver({ messageId: 'id-7' });
    expect(received).toMatchObject([{ message: { messageId: 'id-7' }, source: { lane: 'work', channel } }]);
    expect(received[0]?.source.ending.aborted).toBe(false);
    expect(subscription.isWell).toBe(true);
  });

  it('is not well before it has started', async () => {
    const { connection, subscription } = setUp();
    const [opened, consumeOk] = [gate(), gate()];
    connection.beforeOpen = () => opened.promise;
    connection.prepare = (channel) => {
      channel.beforeConsumeOk = () => consumeOk.promise;
    };
    const seen = [subscription.isWell];
    const starting = subscription.start();
    seen.push(subscription.isWell);
    opened.open();
    await settled();
    seen.push(subscription.isWell);
    consumeOk.open();
    await starting;
    expect([...seen, subscription.isWell]).toEqual([false, false, false, true]);
  });

  it('rejects when it cannot open a channel at first, and does not try again', async () => {
    const { connection, subscription, telemetry } = setUp();
    connection.beforeOpen = () => Promise.reject(new Error('no more channels'));
    await expect(subscription.start()).rejects.toThrow('no more channels');
    await jest.advanceTimersByTimeAsync(60_000);
    expect([connection.consumeChannels, telemetry.events]).toEqual([[], []]);
  });

  it('rejects when it cannot consume at first, and leaves no channel open', async () => {
    const { connection, subscription } = setUp();
    connection.prepare = (channel) => {
      channel.beforeConsumeOk = () => Promise.reject(new Error('no queue'));
    };
    await expect(subscription.start()).rejects.toThrow('no queue');
    expect(connection.consumeChannel.requests).toHaveLength(1);
    expect(connection.consumeChannel.isOpen).toBe(false);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(connection.consumeChannels).toHaveLength(1);
  });

  it('that was paused before it started opens its channel and asks for nothing yet', async () => {
    const { connection, subscription } = setUp();
    await subscription.pause();
    await subscription.start();
    expect(connection.consumeChannel.requests).toEqual([]);
    expect(subscription.isWell).toBe(true);
    await subscription.resume();
    expect(connection.consumeChannel.request.consumerTag).toBe('worker.1');
  });
});

describe('a prefetch that changes', () => {
  it('makes a new consumer on the same channel, with a new tag, after the old one is cancelled', async () => {
    const { connection, channel, subscription, telemetry } = await started();
    const asked = watch(channel);
    await subscription.setPrefetch(20);
    await subscription.setPrefetch(5);
    expect(asked).toEqual([
      'cancel worker.1',
      'consume worker.2 20',
      'cancel worker.2',
      'consume worker.3 5',
    ]);
    expect(connection.consumeChannels).toHaveLength(1);
    expect(telemetry.named('consumer.started').map(({ prefetch }) => prefetch)).toEqual([10, 20, 5]);
  });

  it('asks for nothing when it is the same', async () => {
    const { channel, subscription } = await started();
    const asked = watch(channel);
    await subscription.setPrefetch(10);
    expect(asked).toEqual([]);
  });

  it('leads to the last one when changes come faster than the broker answers, one after another', async () => {
    const { channel, subscription } = await started();
    const cancelOk = gate();
    channel.beforeCancelOk = () => cancelOk.promise;
    const asked = watch(channel);
    const changes = [subscription.setPrefetch(20), subscription.setPrefetch(30)];
    await settled();
    expect(asked).toEqual(['cancel worker.1']);
    changes.push(subscription.setPrefetch(40));
    cancelOk.open();
    await Promise.all(changes);
    expect(asked).toEqual(['cancel worker.1', 'consume worker.2 40']);
  });

  it('that changes while the new consumer is made is made good afterwards', async () => {
    const { channel, subscription } = await started();
    const consumeOk = gate();
    channel.beforeConsumeOk = () => consumeOk.promise;
    const asked = watch(channel);
    const changes = [subscription.setPrefetch(20)];
    await settled();
    changes.push(subscription.setPrefetch(30));
    await settled();
    expect(asked).toEqual(['cancel worker.1', 'consume worker.2 20']);
    consumeOk.open();
    await Promise.all(changes);
    expect(asked.slice(2)).toEqual(['cancel worker.2', 'consume worker.3 30']);
  });

  it('still hands over what comes between the cancel and its answer', async () => {
    const { channel, subscription, received } = await started();
    const cancelOk = gate();
    channel.beforeCancelOk = () => cancelOk.promise;
    const changed = subscription.setPrefetch(20);
    await settled();
    channel.deliver({ messageId: 'late' });
    cancelOk.open();
    await changed;
    expect(received.map(({ message }) => message.messageId)).toEqual(['late']);
  });

  it('is held by the next channel when there is none at the moment', async () => {
    const { connection, subscription } = await started();
    connection.lose();
    await settled();
    await subscription.setPrefetch(20);
    connection.comeBack();
    await jest.advanceTimersByTimeAsync(100);
    expect(connection.consumeChannel.requests).toMatchObject([{ prefetch: 20, consumerTag: 'worker.2' }]);
  });

  it('is held by a channel that is just being opened', async () => {
    const { connection, channel, subscription } = await started();
    const opened = gate();
    connection.beforeOpen = () => opened.promise;
    channel.end('gone');
    await jest.advanceTimersByTimeAsync(100);
    await subscription.setPrefetch(20);
    opened.open();
    await settled();
    expect(connection.consumeChannel.requests).toMatchObject([{ prefetch: 20 }]);
  });
});

describe('a pause', () => {
  it('cancels, is well, and comes back with a new tag', async () => {
    const { channel, subscription } = await started();
    const asked = watch(channel);
    await subscription.pause();
    expect(asked).toEqual(['cancel worker.1']);
    expect([subscription.isWell, subscription.isPaused]).toEqual([true, true]);
    await subscription.resume();
    expect(asked).toEqual(['cancel worker.1', 'consume worker.2 10']);
    expect([subscription.isWell, subscription.isPaused]).toEqual([true, false]);
  });

  it('that ends before the broker agreed leads to a consumer', async () => {
    const { channel, subscription } = await started();
    const cancelOk = gate();
    channel.beforeCancelOk = () => cancelOk.promise;
    const asked = watch(channel);
    const changes = [subscription.pause()];
    await settled();
    changes.push(subscription.resume());
    cancelOk.open();
    await Promise.all(changes);
    expect(asked).toEqual(['cancel worker.1', 'consume worker.2 10']);
    expect(subscription.isWell).toBe(true);
  });

  it('that begins and ends within one turn asks for nothing', async () => {
    const { channel, subscription } = await started();
    const asked = watch(channel);
    await Promise.all([subscription.pause(), subscription.resume()]);
    expect([asked, subscription.isWell]).toEqual([[], true]);
  });

  it('takes a new prefetch along to its end', async () => {
    const { channel, subscription } = await started();
    const asked = watch(channel);
    await subscription.pause();
    await subscription.setPrefetch(20);
    expect(asked).toEqual(['cancel worker.1']);
    await subscription.resume();
    expect(asked.slice(1)).toEqual(['consume worker.2 20']);
  });

  it('is kept across reconnects', async () => {
    const { connection, subscription } = await started();
    await subscription.pause();
    connection.lose();
    connection.comeBack();
    await jest.advanceTimersByTimeAsync(100);
    expect(connection.consumeChannels).toHaveLength(2);
    expect(connection.consumeChannel.requests).toEqual([]);
    expect(subscription.isWell).toBe(true);
    await subscription.resume();
    expect(connection.consumeChannel.request.consumerTag).toBe('worker.2');
  });
});

describe('a subscription whose channel is gone', () => {
  it('begins again on another channel, and tells whose deliveries are lost', async () => {
    const { connection, channel, subscription, telemetry, received, lost } = await started();
    channel.deliver();
    channel.end('PRECONDITION_FAILED');
    expect(subscription.isWell).toBe(false);
    await settled();
    expect(lost).toEqual([channel]);
    expect(received[0]?.source.ending.aborted).toBe(true);
    expect(telemetry.named('consumer.lost')).toMatchObject([
      { queue: 'orders', reason: 'PRECONDITION_FAILED', retryInMs: 100 },
    ]);
    await jest.advanceTimersByTimeAsync(100);
    expect(connection.consumeChannel).not.toBe(channel);
    expect(connection.consumeChannel.request.consumerTag).toBe('worker.2');
    expect([subscription.isWell, lost.length]).toEqual([true, 1]);
    connection.consumeChannel.deliver();
    expect(received[1]?.source.ending.aborted).toBe(false);
  });

  it('waits for the connection, for as long as it takes, less and less often', async () => {
    const { connection, subscription, telemetry } = await started();
    connection.lose();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(connection.consumeChannels).toHaveLength(1);
    let failures = 8;
    connection.beforeOpen = async () => {
      if (failures-- > 0) throw new Error('no channel');
    };
    connection.comeBack();
    await jest.advanceTimersByTimeAsync(30_000);
    expect(subscription.isWell).toBe(true);
    const waits = telemetry.named('consumer.lost').map(({ retryInMs }) => retryInMs);
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  });

  it('is soon back the next time after it was well', async () => {
    const { connection, channel, subscription } = await started();
    let failures = 3;
    connection.beforeOpen = async () => {
      if (failures-- > 0) throw new Error('no channel');
    };
    channel.end('gone');
    await jest.advanceTimersByTimeAsync(5_000);
    connection.consumeChannel.end('gone');
    await jest.advanceTimersByTimeAsync(100);
    expect(connection.consumeChannels).toHaveLength(3);
    expect(subscription.isWell).toBe(true);
  });

  it('leaves no channel open where it could not consume, and has its queue looked after', async () => {
    const { connection, channel, subscription, steps } = await started();
    connection.prepare = (next) => {
      next.beforeConsumeOk = () => Promise.reject(new Error('no queue'));
    };
    channel.end('gone');
    await jest.advanceTimersByTimeAsync(100);
    expect(connection.consumeChannels.map(({ isOpen, requests }) => [isOpen, requests.length])).toEqual([
      [false, 1],
      [false, 1],
    ]);
    expect(steps).toEqual([]);
    connection.prepare = () => undefined;
    await jest.advanceTimersByTimeAsync(200);
    expect(steps).toEqual(['restore']);
    expect([connection.consumeChannels.length, subscription.isWell]).toEqual([3, true]);
  });

  it('is not touched by what was still under way on the channel before', async () => {
    const { connection, channel, subscription } = await started();
    channel.beforeCancelOk = never;
    void subscription.setPrefetch(20);
    await jest.advanceTimersByTimeAsync(1_500);
    channel.end('gone');
    await jest.advanceTimersByTimeAsync(100);
    expect(connection.consumeChannel.requests).toMatchObject([{ prefetch: 20 }]);
    expect(subscription.isWell).toBe(true);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(connection.consumeChannels).toHaveLength(2);
    expect([connection.consumeChannel.isOpen, subscription.isWell]).toEqual([true, true]);
  });

  it('is not taken for well by a consumer that was made on the channel before', async () => {
    const { connection, channel, subscription } = await started();
    const consumeOk = gate();
    channel.beforeConsumeOk = () => consumeOk.promise;
    void subscription.setPrefetch(20);
    await settled();
    channel.end('gone');
    await jest.advanceTimersByTimeAsync(50);
    consumeOk.open();
    await jest.advanceTimersByTimeAsync(50);
    expect(connection.consumeChannel).not.toBe(channel);
    expect(connection.consumeChannel.requests).toMatchObject([{ prefetch: 20 }]);
  });

  it('consumes no more on a channel that went between the cancel and its answer', async () => {
    const { channel, subscription } = await started();
    const cancelOk = gate();
    channel.beforeCancelOk = () => cancelOk.promise;
    void subscription.setPrefetch(20);
    await settled();
    channel.end('gone');
    cancelOk.open();
    await settled();
    expect(channel.requests).toHaveLength(1);
  });
});

describe('a consumer that the broker cancels', () => {
  it('has its channel closed and begins again on another', async () => {
    const { connection, channel, subscription, telemetry, lost } = await started();
    channel.request.onCancelled();
    await settled();
    expect([channel.log, lost]).toEqual([['close'], [channel]]);
    expect(telemetry.named('consumer.lost')).toMatchObject([
      { reason: expect.stringContaining('the broker cancelled the consumer') },
    ]);
    expect(subscription.isWell).toBe(false);
    await jest.advanceTimersByTimeAsync(100);
    expect(connection.consumeChannel.request.consumerTag).toBe('worker.2');
    expect(subscription.isWell).toBe(true);
  });

  it('begins again only once its queue is gone for good and was made anew', async () => {
    const { connection, channel, steps } = await started();
    const readings = [{ readyMessages: 0, consumers: 0 }, undefined];
    connection.inspect = async () => {
      steps.push('look');
      return readings.shift();
    };
    connection.prepare = (next) => {
      next.beforeConsumeOk = async () => void steps.push('consume');
    };
    channel.request.onCancelled();
    await jest.advanceTimersByTimeAsync(150);
    expect(steps).toEqual(['look', 'look', 'restore', 'consume']);
  });

  it('is lost at once, though the broker takes its time to close the channel', async () => {
    const { channel, received, lost } = await started();
    channel.deliver();
    const closing = gate();
    const closeChannel = channel.close.bind(channel);
    channel.close = async () => {
      channel.isOpen = false;
      await closing.promise;
      await closeChannel();
    };
    channel.request.onCancelled();
    await settled();
    expect([lost, received[0]?.source.ending.aborted]).toEqual([[channel], true]);
    closing.open();
  });

  it('is nobody’s business once there is a later one', async () => {
    const { connection, channel, subscription } = await started();
    const { request } = channel;
    await subscription.setPrefetch(20);
    request.onCancelled();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(connection.consumeChannels).toEqual([channel]);
    expect([channel.isOpen, subscription.isWell]).toEqual([true, true]);
  });

  it('in the same breath as it is made leaves no channel open', async () => {
    const { connection, channel, subscription, lost } = await started();
    connection.prepare = (next) => {
      next.beforeConsumeOk = async () => next.request.onCancelled();
    };
    channel.end('gone');
    await jest.advanceTimersByTimeAsync(100);
    connection.prepare = () => undefined;
    const second = connection.consumeChannel;
    expect(second.requests).toHaveLength(1);
    expect(second.isOpen).toBe(false);
    expect(lost).toEqual([channel, second]);
    await jest.advanceTimersByTimeAsync(200);
    expect([connection.consumeChannels.length, subscription.isWell]).toEqual([3, true]);
  });
});

describe('a broker that does not answer a cancel', () => {
  it('has its channel given up after ten seconds', async () => {
    const { connection, channel, subscription, telemetry, lost } = await started();
    channel.beforeCancelOk = never;
    let isDone = false;
    void subscription.setPrefetch(20).then(() => (isDone = true));
    await jest.advanceTimersByTimeAsync(9_999);
    expect([channel.isOpen, isDone]).toEqual([true, false]);
    await jest.advanceTimersByTimeAsync(1);
    expect([channel.isOpen, isDone]).toEqual([false, true]);
    expect(lost).toEqual([channel]);
    expect(telemetry.named('consumer.lost')).toMatchObject([
      { reason: expect.stringContaining('did not cancel a consumer within 10000 ms') },
    ]);
    await jest.advanceTimersByTimeAsync(100);
    expect(connection.consumeChannel.requests).toMatchObject([{ prefetch: 20 }]);
  });

  it('keeps its channel when we stop, so that what runs can be settled', async () => {
    const { connection, channel, subscription } = await started();
    channel.beforeCancelOk = never;
    const stopped = subscription.stop();
    await jest.advanceTimersByTimeAsync(2_000);
    await stopped;
    expect(channel.isOpen).toBe(true);
    await subscription.close();
    expect(channel.isOpen).toBe(false);
    expect(connection.consumeChannels).toHaveLength(1);
  });

  it('keeps its channel also when we stop while a change waits for it', async () => {
    const { channel, subscription } = await started();
    channel.beforeCancelOk = never;
    void subscription.setPrefetch(20);
    await jest.advanceTimersByTimeAsync(1_000);
    void subscription.stop();
    await jest.advanceTimersByTimeAsync(20_000);
    expect(channel.isOpen).toBe(true);
  });
});

describe('a subscription that stops', () => {
  it('cancels, ends what was delivered, and leaves the channel open until it is closed', async () => {
    const { channel, subscription, received, lost } = await started();
    channel.deliver();
    await subscription.stop();
    expect([channel.log, channel.isOpen]).toEqual([['cancel worker.1'], true]);
    expect([received[0]?.source.ending.aborted, subscription.isWell]).toEqual([true, false]);
    expect(lost).toEqual([]);
    await subscription.close();
    expect(channel.log).toEqual(['cancel worker.1', 'close']);
  });

  it('consumes no more, whatever is asked of it', async () => {
    const { connection, channel, subscription } = await started();
    await subscription.stop();
    await subscription.resume();
    await subscription.setPrefetch(20);
    channel.end('gone');
    await jest.advanceTimersByTimeAsync(60_000);
    expect([connection.consumeChannels.length, channel.requests.length]).toEqual([1, 1]);
  });

  it('tells what is lost also when the channel goes before it is closed', async () => {
    const { channel, subscription, lost } = await started();
    await subscription.stop();
    channel.end('gone');
    await settled();
    await subscription.close();
    await subscription.close();
    expect(lost).toEqual([channel]);
  });

  it.each([
    ['waits before it begins again', 50],
    ['waits for the connection', 1_000],
  ])('while it %s does not begin again', async (_what, afterMs) => {
    const { connection, subscription } = await started();
    connection.lose();
    await jest.advanceTimersByTimeAsync(afterMs);
    await subscription.stop();
    await subscription.close();
    expect(jest.getTimerCount()).toBe(0);
    connection.comeBack();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(connection.consumeChannels).toHaveLength(1);
  });

  it('while a channel is being opened closes that one', async () => {
    const { connection, channel, subscription } = await started();
    const opened = gate();
    connection.beforeOpen = () => opened.promise;
    channel.end('gone');
    await jest.advanceTimersByTimeAsync(100);
    await subscription.stop();
    await subscription.close();
    opened.open();
    await settled();
    expect(connection.consumeChannels.map(({ isOpen }) => isOpen)).toEqual([false, false]);
    expect(connection.consumeChannel.requests).toEqual([]);
    expect(subscription.isWell).toBe(false);
  });

  it('while a consumer is being made cancels that one', async () => {
    const { channel, subscription } = await started();
    const consumeOk = gate();
    channel.beforeConsumeOk = () => consumeOk.promise;
    void subscription.setPrefetch(20);
    await settled();
    const stopped = subscription.stop();
    consumeOk.open();
    await stopped;
    expect(channel.log).toEqual(['cancel worker.1', 'cancel worker.2']);
  });
});
