import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';

import { systemClock } from '../clock.js';
import type { RetryPolicy } from '../options/settings.js';
import type { AttemptOutcome } from './attempt-outcome.js';
import type { Delivery } from './delivery.js';
import { Ledger } from './ledger.js';
import { OpenLoopSender } from './open-loop.sender.js';

const accepted: AttemptOutcome = { kind: 'accepted' };
const full: AttemptOutcome = {
  kind: 'rejected',
  reason: 'queue-full',
  isShed: true,
  isRetriable: true,
  retryAfterMs: 50,
};

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

interface Scenario {
  timesMs: number[];
  serviceMs: number;
  outcomeOf?: (delivery: Delivery) => AttemptOutcome;
  maxConnections?: number;
  retry?: RetryPolicy;
  graceMs?: number;
  stop?: AbortSignal;
}

/** Starts a run against a gateway that takes `serviceMs` for an answer; nothing moves until time is advanced. */
function start({ timesMs, serviceMs, outcomeOf = () => accepted, stop, ...rest }: Scenario) {
  const ledger = new Ledger();
  const sentAtMs: number[] = [];
  const startedAtMs = systemClock.nowMs();
  const sender = new OpenLoopSender({
    plan: { timesMs, endsAtMs: timesMs.at(-1) ?? 0 },
    maxConnections: 100,
    retry: { kind: 'never' },
    graceMs: 10_000,
    ...rest,
    clock: systemClock,
    ledger,
    createDelivery: (index, plannedAtMs) => ({
      id: `id-${index}`,
      payload: { event: 'ping', bytes: Buffer.alloc(0), headers: {} },
      plannedAtMs,
      attempts: 0,
      standing: undefined,
    }),
    post: (delivery) => {
      sentAtMs.push(Math.round(systemClock.nowMs() - startedAtMs));
      return new Promise((resolve) => setTimeout(() => resolve(outcomeOf(delivery)), serviceMs));
    },
  });
  const finished = sender.run(stop ?? new AbortController().signal);
  return { ledger, sentAtMs, finished };
}

test('sends at the planned times, however slow the answers are', async () => {
  const { sentAtMs, finished, ledger } = start({ timesMs: [0, 10, 20, 30], serviceMs: 5_000 });
  await jest.advanceTimersByTimeAsync(40);
  expect(sentAtMs).toEqual([0, 10, 20, 30]);
  expect(ledger.accepted).toBe(0);
  await jest.runAllTimersAsync();
  await finished;
  expect(ledger).toMatchObject({ sent: 4, attempts: 4, accepted: 4 });
});

test('waiting for a free connection counts as latency', async () => {
  const { sentAtMs, finished, ledger } = start({ timesMs: [0, 10, 20], serviceMs: 100, maxConnections: 1 });
  await jest.runAllTimersAsync();
  await finished;
  expect(sentAtMs).toEqual([0, 100, 200]);
  expect(ledger.maxWaitingForConnection).toBe(2);
  expect(ledger.timeTo202.percentileMs(100)).toBeCloseTo(280, 0);
});

test('what found no connection until the grace is over was never sent', async () => {
  const { finished, ledger } = start({
    timesMs: [0, 10, 20],
    serviceMs: 500,
    maxConnections: 1,
    graceMs: 100,
  });
  await jest.runAllTimersAsync();
  await finished;
  expect(ledger).toMatchObject({ sent: 1, accepted: 1, unsent: 2 });
});

test('without any grace the last planned send still goes out', async () => {
  const { sentAtMs, finished, ledger } = start({ timesMs: [0, 10], serviceMs: 5, graceMs: 0 });
  await jest.runAllTimersAsync();
  await finished;
  expect(sentAtMs).toEqual([0, 10]);
  expect(ledger).toMatchObject({ sent: 2, accepted: 2, unsent: 0 });
});

test('a refused delivery goes out again when told, with its id, and ends accepted', async () => {
  const outcomeOf = ({ attempts }: Delivery) => (attempts < 3 ? full : accepted);
  const { sentAtMs, finished, ledger } = start({
    timesMs: [0],
    serviceMs: 10,
    outcomeOf,
    retry: { kind: 'retry-after', maxRetries: 5 },
  });
  await jest.runAllTimersAsync();
  await finished;
  expect(sentAtMs).toEqual([0, 60, 120]);
  expect(ledger).toMatchObject({ sent: 1, attempts: 3, accepted: 1, rejected: 0 });
});

test('a delivery that used up its retries is rejected once, with its last reason', async () => {
  const { finished, ledger } = start({
    timesMs: [0],
    serviceMs: 10,
    outcomeOf: () => full,
    retry: { kind: 'retry-after', maxRetries: 2 },
  });
  await jest.runAllTimersAsync();
  await finished;
  expect(ledger).toMatchObject({ sent: 1, attempts: 3, accepted: 0, rejected: 1 });
  expect([...ledger.rejectedByReason]).toEqual([['queue-full', 1]]);
});

test('a stop ends the plan and the retries, and awaits what is in flight', async () => {
  const stopping = new AbortController();
  const { finished, ledger } = start({
    timesMs: [0, 100, 200, 300],
    serviceMs: 80,
    outcomeOf: ({ id }) => (id === 'id-0' ? { ...full, retryAfterMs: 1_000 } : accepted),
    retry: { kind: 'retry-after', maxRetries: 5 },
    stop: stopping.signal,
  });
  await jest.advanceTimersByTimeAsync(150);
  stopping.abort();
  await jest.runAllTimersAsync();
  await expect(finished).resolves.toMatchObject({ durationMs: 180 });
  expect(ledger).toMatchObject({ sent: 2, accepted: 1, rejected: 1, unsent: 0 });
});

test('a stop before the start sends nothing', async () => {
  const { finished, ledger } = start({ timesMs: [0, 10], serviceMs: 1, stop: AbortSignal.abort() });
  await finished;
  expect(ledger.sent).toBe(0);
});
