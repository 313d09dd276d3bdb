import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  endFakeTime,
  FakeConnection,
  fakeableTimers,
  gate,
  outgoing,
  settled,
} from '../../../../test/support/fake-broker.js';
import type { PublishChannel } from '../broker/broker.port.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { PublishLane } = await import('./publish-lane.js');

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(endFakeTime);

async function setUp() {
  const connection = new FakeConnection();
  const lost: PublishChannel[] = [];
  const lane = new PublishLane(connection, { onReply: () => undefined }, (channel) => lost.push(channel));
  await lane.open();
  const isOpen = (): boolean[] => connection.publishChannels.map((channel) => channel.isOpen);
  return { connection, lane, lost, isOpen };
}

describe('a publish lane', () => {
  it('has no channel until it is open, then one, made as it was told to', async () => {
    const connection = new FakeConnection();
    const onReply = (): void => undefined;
    const lane = new PublishLane(connection, { onReply });
    expect(lane.channel).toBeUndefined();
    await lane.open();
    expect(lane.channel).toBe(connection.publishChannel);
    expect(connection.publishChannel.onReply).toBe(onReply);
  });

  it('passes on why its first channel cannot be opened', async () => {
    const connection = new FakeConnection();
    connection.beforeOpen = () => Promise.reject(new Error('no channels left'));
    await expect(new PublishLane(connection).open()).rejects.toThrow('no channels left');
  });

  it('opens a closed channel again by itself, as often as it takes', async () => {
    const { connection, lane } = await setUp();
    let failures = 2;
    connection.beforeOpen = async () => {
      if (failures-- > 0) throw new Error('not yet');
    };
    connection.publishChannel.end('closed by the broker');
    expect(lane.channel).toBeUndefined();
    await jest.advanceTimersByTimeAsync(400);
    expect(lane.channel).toBe(connection.publishChannels[1]);
    expect(connection.publishChannels).toHaveLength(2);
  });

  it('opens none while the connection is away, and one when it is back', async () => {
    const { connection, lane } = await setUp();
    connection.lose();
    await jest.advanceTimersByTimeAsync(10_000);
    expect(connection.publishChannels).toHaveLength(1);
    connection.comeBack();
    await settled();
    expect(lane.channel).toBe(connection.publishChannels[1]);
  });

  it('tells of every channel that is gone', async () => {
    const { connection, lane, lost } = await setUp();
    connection.publishChannel.end('closed by the broker');
    await settled();
    await lane.close();
    await settled();
    expect(lost).toEqual(connection.publishChannels);
    expect(lost).toHaveLength(2);
  });
});

describe('renewing a lane', () => {
  it('goes on with the new channel and closes the old one after its last confirm', async () => {
    const { connection, lane, isOpen } = await setUp();
    const [old] = connection.publishChannels;
    old?.publish(outgoing(), { messageId: 'id-1', answered: () => undefined });
    await lane.renew();
    await settled();
    expect(lane.channel).toBe(connection.publishChannels[1]);
    expect(isOpen()).toEqual([true, true]);
    old?.sent[0]?.answer('acked');
    await settled();
    expect(isOpen()).toEqual([false, true]);
    expect(connection.publishChannels).toHaveLength(2);
  });

  it('keeps the old channel for as long as a reply is expected on it', async () => {
    const { lane, isOpen } = await setUp();
    const calls = [gate(), gate()];
    const { channel } = lane;
    for (const { promise } of calls) if (channel) lane.keep(channel, promise);
    await lane.renew();
    calls[0]?.open();
    await settled();
    expect(isOpen()).toEqual([true, true]);
    calls[1]?.open();
    await settled();
    expect(isOpen()).toEqual([false, true]);
  });

  it('closes an old channel at once when nothing is expected on it any more', async () => {
    const { lane, isOpen } = await setUp();
    if (lane.channel) lane.keep(lane.channel, Promise.resolve());
    await settled();
    await lane.renew();
    await settled();
    expect(isOpen()).toEqual([false, true]);
  });

  it('changes nothing when no new channel can be opened', async () => {
    const { connection, lane, isOpen } = await setUp();
    connection.beforeOpen = () => Promise.reject(new Error('no channels left'));
    await expect(lane.renew()).rejects.toThrow('no channels left');
    expect(lane.channel).toBe(connection.publishChannel);
    expect(isOpen()).toEqual([true]);
  });
});

describe('a lane that ends', () => {
  it('has no channel once it was stopped, and closes it at its close', async () => {
    const { lane, isOpen } = await setUp();
    lane.stop();
    expect(lane.channel).toBeUndefined();
    expect(lane.isClosing).toBe(true);
    expect(isOpen()).toEqual([true]);
    await lane.close();
    await settled();
    expect(isOpen()).toEqual([false]);
  });

  it('opens nothing any more, also when it was about to', async () => {
    const { connection, lane } = await setUp();
    connection.lose();
    await settled();
    await lane.close();
    connection.comeBack();
    await settled();
    expect(connection.publishChannels).toHaveLength(1);
  });

  it.each(['reopened', 'renewed'])('closes a channel that was still being %s', async (how) => {
    const { connection, lane, isOpen } = await setUp();
    const opening = gate();
    connection.beforeOpen = () => opening.promise;
    if (how === 'reopened') connection.publishChannel.end('closed by the broker');
    else void lane.renew();
    await settled();
    await lane.close();
    opening.open();
    await settled();
    expect(isOpen()).toEqual([false, false]);
    expect(lane.channel).toBeUndefined();
  });

  it('does not wait for a broker that is away', async () => {
    const { connection, lane } = await setUp();
    connection.block();
    const close = jest.spyOn(connection.publishChannel, 'close');
    await lane.close();
    expect(close).not.toHaveBeenCalled();
  });
});
