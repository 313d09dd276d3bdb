import { describe, expect, it, jest } from '@jest/globals';
import { fakeableTimers, fakeTimeInEachTest, outgoing } from '../../../../test/support/fake-broker.js';
import { type Refusal, toError } from '../errors/refusal.js';
import type { ResendEnd } from './resender.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { Resender } = await import('./resender.js');

const STORED = { kind: 'stored' };

function refused(reason: Refusal['reason'], retryAfterMs?: number): Error {
  return toError({ queue: 'orders', messageId: 'id-1', because: 'so it is', reason, retryAfterMs });
}

function setUp({ answers = [], ratePerSec = 1_000_000 }: { answers?: Error[]; ratePerSec?: number } = {}) {
  const abort = new AbortController();
  /** Milliseconds since the start, of each publish. */
  const sentAt: number[] = [];
  const waits: number[] = [];
  const startedAt = performance.now();
  const send = async (): Promise<void> => {
    sentAt.push(Math.round(performance.now() - startedAt));
    const answer = answers.shift();
    if (answer) throw answer;
  };
  const resender = new Resender(send, ratePerSec, abort.signal);
  let isHeld = true;
  const resend = (): Promise<ResendEnd> =>
    resender.resend({
      message: () => outgoing(),
      assertHeld: () => {
        if (!isHeld) throw new Error('taken back');
      },
      onWaiting: (_refusal, forMs) => void waits.push(forMs),
    });
  return { resend, sentAt, waits, abort, takeBack: () => (isHeld = false) };
}

describe('a resender', () => {
  fakeTimeInEachTest();

  it('publishes at its rate, evenly, and makes up for no time that was not used', async () => {
    const { resend, sentAt } = setUp({ ratePerSec: 2 });
    const three = resend().then(resend).then(resend);
    await jest.advanceTimersByTimeAsync(5_000);
    await three;
    expect(sentAt).toEqual([0, 500, 1_000]);
    const two = resend().then(resend);
    await jest.advanceTimersByTimeAsync(500);
    await two;
    expect(sentAt.slice(3)).toEqual([5_000, 5_500]);
  });

  it.each([
    'queue-full',
    'no-workers',
    'gateway-busy',
    'broker-unavailable',
    'broker-alarm',
    'unknown',
  ] as const)('waits as long as a refusal for %s says, and tries the same again', async (reason) => {
    const { resend, sentAt, waits } = setUp({ answers: [refused(reason, 5_000), refused(reason)] });
    const end = resend();
    await jest.advanceTimersByTimeAsync(10_000);
    await expect(end).resolves.toEqual(STORED);
    expect(sentAt).toEqual([0, 5_000, 6_000]);
    expect(waits).toEqual([5_000, 1_000]);
  });

  it('does not try faster than its rate, whatever a refusal says', async () => {
    const { resend, sentAt } = setUp({ ratePerSec: 1, answers: [refused('gateway-busy', 10)] });
    const end = resend();
    await jest.advanceTimersByTimeAsync(2_000);
    await end;
    expect(sentAt).toEqual([0, 1_000]);
  });

  it.each(['too-large', 'invalid-message', 'conflict'] as const)(
    'gives one up that is refused as %s',
    async (reason) => {
      const refusal = refused(reason);
      const { resend } = setUp({ answers: [refusal] });
      await expect(resend()).resolves.toEqual({ kind: 'unsendable', because: refusal.message });
      await jest.advanceTimersByTimeAsync(0);
    },
  );

  it.each([
    ['a queue that does not exist', refused('unroutable')],
    ['a defect', new TypeError('no door')],
  ])('fails at %s', async (_what, error) => {
    const { resend } = setUp({ answers: [error] });
    await expect(resend()).rejects.toBe(error);
  });

  it.each([
    ['waits for its turn', { ratePerSec: 0.001 }, 1],
    ['waits for room', { answers: [refused('queue-full', 60_000)] }, 0],
  ])('stops at once when the signal aborts while it %s', async (_while, options, storedBefore) => {
    const { resend, sentAt, abort } = setUp(options);
    for (let stored = 0; stored < storedBefore; stored++) await resend();
    const end = resend();
    await jest.advanceTimersByTimeAsync(100);
    abort.abort();
    await expect(end).resolves.toEqual({ kind: 'aborted' });
    expect(sentAt).toEqual([0]);
  });

  it('sends nothing that was taken back while it waited', async () => {
    const { resend, sentAt, takeBack } = setUp({ answers: [refused('broker-unavailable', 1_000)] });
    const end = resend().catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(500);
    takeBack();
    await jest.advanceTimersByTimeAsync(500);
    expect(await end).toEqual(new Error('taken back'));
    expect(sentAt).toEqual([0]);
  });
});
