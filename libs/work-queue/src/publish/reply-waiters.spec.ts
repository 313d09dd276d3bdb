import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { endFakeTime, fakeableTimers, settled } from '../../../../test/support/fake-broker.js';
import type { IncomingReply } from '../broker/broker.port.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { ReplyWaiters } = await import('./reply-waiters.js');

const CHANNEL = {};

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(endFakeTime);

function replyTo(correlationId: string | undefined): IncomingReply {
  return { correlationId, body: Buffer.from('7'), contentType: 'application/json', headers: {} };
}

function setUp() {
  const waiters = new ReplyWaiters(2);
  const waiter = waiters.add('c-1');
  waiter.onChannel(CHANNEL);
  return { waiters, waiter };
}

describe('a caller that waits for its reply', () => {
  it('gets its own reply and no other', async () => {
    const { waiters, waiter } = setUp();
    const neighbour = waiters.add('c-2').within(100, undefined);
    const outcome = waiter.within(100, undefined);
    const reply = replyTo('c-1');
    for (const other of [replyTo('c-9'), replyTo(undefined), reply]) waiters.onReply(other);
    expect(await outcome).toBe(reply);
    await jest.advanceTimersByTimeAsync(100);
    expect(await neighbour).toBe('time-is-up');
  });

  it('gets a reply that came before it began to wait', async () => {
    const { waiters, waiter } = setUp();
    expect(waiter.reply).toBeUndefined();
    const reply = replyTo('c-1');
    waiters.onReply(reply);
    await settled();
    expect(waiter.reply).toBe(reply);
    expect(await waiter.within(0, AbortSignal.abort())).toBe(reply);
  });

  it('gets the first reply when there are two', async () => {
    const { waiters, waiter } = setUp();
    const reply = replyTo('c-1');
    waiters.onReply(reply);
    waiters.onReply(replyTo('c-1'));
    expect(await waiter.within(100, undefined)).toBe(reply);
  });

  it.each([100, 0, -5])('stops when its time (%s ms) is up', async (waitMs) => {
    const { waiter } = setUp();
    const outcome = waiter.within(waitMs, undefined);
    await jest.advanceTimersByTimeAsync(Math.max(0, waitMs));
    expect(await outcome).toBe('time-is-up');
  });

  it('stops when it is gone, also when it was gone before', async () => {
    const { waiter } = setUp();
    const caller = new AbortController();
    const outcome = waiter.within(100, caller.signal);
    caller.abort();
    expect(await outcome).toBe('caller-gone');
    expect(await waiter.within(100, caller.signal)).toBe('caller-gone');
  });

  it('stops when the channel is gone that its reply would come to, and for no other channel', async () => {
    const { waiters, waiter } = setUp();
    const unsent = waiters.add('c-2').within(100, undefined);
    const outcome = waiter.within(100, undefined);
    waiters.onLost({});
    waiters.onLost(CHANNEL);
    expect(await outcome).toBe('reply-lost');
    expect(waiter.reply).toBeUndefined();
    await jest.advanceTimersByTimeAsync(100);
    expect(await unsent).toBe('time-is-up');
  });

  it('is over once it says so, and a reply that comes later is dropped', async () => {
    const { waiters, waiter } = setUp();
    let isOver = false;
    void waiter.over.then(() => (isOver = true));
    await settled();
    expect(isOver).toBe(false);
    waiter.end();
    waiters.onReply(replyTo('c-1'));
    await settled();
    expect(isOver).toBe(true);
    expect(waiter.reply).toBeUndefined();
  });
});

describe('callers that wait', () => {
  it('are as many as may be until one of them ends', () => {
    const { waiters, waiter } = setUp();
    expect(waiters.refusal).toBeUndefined();
    waiters.add('c-2');
    expect(waiters.refusal).toBe('too-many-waiting');
    waiter.end();
    waiter.end();
    expect(waiters.refusal).toBeUndefined();
  });

  it('may be none at all', () => {
    expect(new ReplyWaiters(0).refusal).toBe('too-many-waiting');
  });

  it('go on without a result when the process ends, and no more may wait', async () => {
    const { waiters, waiter } = setUp();
    const early = waiter.within(100, undefined);
    waiters.close();
    expect(waiters.refusal).toBe('closing');
    expect(await early).toBe('closing');
    expect(await waiter.within(100, undefined)).toBe('closing');
    expect(waiter.reply).toBeUndefined();
  });

  it('keep a reply that was there before the process ended', async () => {
    const { waiters, waiter } = setUp();
    const reply = replyTo('c-1');
    waiters.onReply(reply);
    waiters.close();
    expect(await waiter.within(100, undefined)).toBe(reply);
  });
});
