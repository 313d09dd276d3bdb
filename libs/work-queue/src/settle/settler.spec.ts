import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gate, incoming, RecordingTelemetry, settled } from '../../../../test/support/fake-broker.js';
import type { IncomingMessage } from '../broker/broker.port.js';
import { BrokerUnavailableError } from '../errors/broker-unavailable.error.js';
import { InvalidMessageError } from '../errors/invalid-message.error.js';
import type { JobEnd } from '../telemetry/telemetry.js';
import { Settler, type SettleOutcome } from './settler.js';
import type { WorkCopy } from './work-copy.js';

const SUCCEEDED: SettleOutcome = { kind: 'succeeded', result: 7 };
const DROPPED: SettleOutcome = { kind: 'dropped' };
const RETURNED: SettleOutcome = { kind: 'returned' };
const ERROR = new TypeError('no such customer');
const RETRY: SettleOutcome = { kind: 'retry', attempts: 2, delayMs: 2_000, error: ERROR };
const DEFER: SettleOutcome = { kind: 'defer', delayMs: 500 };
const SET_ASIDE: SettleOutcome = { kind: 'set-aside', starts: 1, delayMs: 1_000 };
const SET_ASIDE_AGAIN: SettleOutcome = { kind: 'set-aside', starts: 2, delayMs: 1_000 };
const DEAD: SettleOutcome = { kind: 'dead', reason: 'failed', attempts: 5, error: ERROR };
const EXPIRED: SettleOutcome = { ...DEAD, reason: 'expired' };

/** What needs a copy, where that goes, and what it counts as. */
const STORED: ReadonlyArray<[string, SettleOutcome, string, JobEnd]> = [
  ['is tried again', RETRY, 'wait 2000', 'retried'],
  ['is deferred', DEFER, 'wait 500', 'deferred'],
  ['is set aside', SET_ASIDE, 'wait 1000', 'set-aside'],
  ['is set aside again', SET_ASIDE_AGAIN, 'alone', 'set-aside'],
  ['is dead', DEAD, 'dead', 'dead-lettered'],
  ['has expired', EXPIRED, 'dead', 'expired'],
];

const DETAILS = { queue: 'orders.dead', messageId: 'id-1' };
const AWAY = new BrokerUnavailableError('the broker is away', DETAILS);
const INVALID = new InvalidMessageError('headers too large', DETAILS);

interface Setup {
  readonly message?: Partial<IncomingMessage>;
  /** It goes while the copy is stored. */
  readonly isChannelDead?: boolean;
  /** It was gone before. */
  readonly isLost?: boolean;
  readonly store?: (copy: WorkCopy) => Promise<void>;
  readonly unstored?: () => Promise<void>;
}

function setUp({ message, isChannelDead = false, isLost = false, store, unstored }: Setup = {}) {
  const telemetry = new RecordingTelemetry();
  /** Everything that was done, in this order. */
  const log: string[] = [];
  const copies: WorkCopy[] = [];
  const settle = (how: string) => (): boolean => {
    log.push(how);
    return !isChannelDead;
  };
  const delivery = {
    message: incoming(message),
    canSettle: !isLost,
    ack: settle('ack'),
    giveBack: settle('give back'),
  };
  const storeAs = async (where: string, copy: WorkCopy): Promise<void> => {
    log.push(where);
    copies.push(copy);
    await store?.(copy);
  };
  const settler = new Settler(
    'orders',
    {
      toWait: (copy, delayMs) => storeAs(`wait ${delayMs}`, copy),
      toAlone: (copy) => storeAs('alone', copy),
      toDead: (copy) => storeAs('dead', copy),
    },
    {
      unstored: async () => {
        log.push('unstored');
        await unstored?.();
      },
      stored: () => void log.push('stored'),
    },
    telemetry,
  );
  const settleAs = (outcome: SettleOutcome): JobEnd | Promise<JobEnd> =>
    settler.settle(delivery, 'id-1', outcome);
  return { settleAs, log, copies, telemetry };
}

describe('settling what needs no copy', () => {
  it.each<[string, SettleOutcome, string, JobEnd]>([
    ['acks what succeeded', SUCCEEDED, 'ack', 'succeeded'],
    ['acks what was dropped', DROPPED, 'ack', 'dropped'],
    ['gives back what was returned', RETURNED, 'give back', 'returned'],
  ])('%s, and nobody has to wait for it', (_what, outcome, how, end) => {
    const { settleAs, log, copies } = setUp();
    expect(settleAs(outcome)).toBe(end);
    expect(log).toEqual([how]);
    expect(copies).toEqual([]);
  });

  it.each([SUCCEEDED, DROPPED, RETURNED])('calls %j lost when its channel is gone', (outcome) => {
    expect(setUp({ isChannelDead: true }).settleAs(outcome)).toBe('lost');
  });
});

describe.each(STORED)('settling what %s', (_what, outcome, where, end) => {
  it('stores no copy of what is delivered again, since its channel is gone', async () => {
    const { settleAs, log } = setUp({ isLost: true });
    expect(await settleAs(outcome)).toBe('lost');
    expect(log).toEqual([]);
  });

  it('acks it only once its copy is stored where it belongs', async () => {
    const stored = gate();
    const { settleAs, log } = setUp({ store: () => stored.promise });
    const ending = settleAs(outcome);
    await settled();
    expect(log).toEqual([where]);
    stored.open();
    expect(await ending).toBe(end);
    expect(log).toEqual([where, 'stored', 'ack']);
  });

  it('says so when its copy is not stored, keeps its place for the pause, and only then gives it back', async () => {
    const pause = gate();
    const { settleAs, log, telemetry } = setUp({
      store: () => Promise.reject(AWAY),
      unstored: () => pause.promise,
    });
    const ending = settleAs(outcome);
    await settled();
    expect(log).toEqual([where, 'unstored']);
    expect(telemetry.named('settle.failed')).toMatchObject([
      { queue: 'orders', messageId: 'id-1', reason: expect.stringMatching(/: .*the broker is away$/) },
    ]);
    pause.open();
    expect(await ending).toBe('returned');
    expect(log).toEqual([where, 'unstored', 'give back']);
  });

  it('calls it lost when its channel is gone once the copy is stored', async () => {
    const { settleAs, log } = setUp({ isChannelDead: true });
    expect(await settleAs(outcome)).toBe('lost');
    expect(log).toEqual([where, 'stored', 'ack']);
  });

  it('calls it lost when its copy is not stored and its channel is gone after the pause', async () => {
    const { settleAs, log } = setUp({ isChannelDead: true, store: () => Promise.reject(AWAY) });
    expect(await settleAs(outcome)).toBe('lost');
    expect(log).toEqual([where, 'unstored', 'give back']);
  });

  it('stores it with our own headers only when it cannot be sent with the others', async () => {
    const { settleAs, log, copies, telemetry } = setUp({
      message: { headers: { odd: 1, 'x-sent': 2 } },
      store: (copy) => ('odd' in copy.headers ? Promise.reject(INVALID) : Promise.resolve()),
    });
    expect(await settleAs(outcome)).toBe(end);
    expect(log).toEqual([where, where, 'stored', 'ack']);
    const { odd: _foreign, ...headers } = copies[0]?.headers ?? {};
    expect(copies[1]).toEqual({ ...copies[0], headers });
    expect(headers).toHaveProperty('x-sent', 2);
    expect(telemetry.events).toEqual([]);
  });

  it('gives it back when it cannot be sent that way either', async () => {
    const { settleAs, log, telemetry } = setUp({ store: () => Promise.reject(INVALID) });
    expect(await settleAs(outcome)).toBe('returned');
    expect(log).toEqual([where, where, 'unstored', 'give back']);
    expect(telemetry.named('settle.failed')).toHaveLength(1);
  });

  it('does not try again with fewer headers when these are not the reason', async () => {
    const { settleAs, copies } = setUp({ store: () => Promise.reject(AWAY) });
    await settleAs(outcome);
    expect(copies).toHaveLength(1);
  });
});

describe('what could not be stored', () => {
  it.each<[SettleOutcome, string]>([
    [RETRY, 'its next attempt could not be stored'],
    [DEFER, 'its next attempt could not be stored'],
    [SET_ASIDE, 'it could not be set aside to run alone'],
    [DEAD, 'dead letter not stored'],
  ])('is told with what was to become of it: %j', async (outcome, what) => {
    const { settleAs, telemetry } = setUp({ store: () => Promise.reject(AWAY) });
    await settleAs(outcome);
    expect(telemetry.named('settle.failed')).toMatchObject([
      { reason: `${what}: BrokerUnavailableError: the broker is away` },
    ]);
  });
});

describe('the copy', () => {
  it.each<[SettleOutcome, Record<string, unknown>]>([
    [RETRY, { 'x-attempts': 2, 'x-first-error': 'TypeError: no such customer' }],
    [DEFER, {}],
    [SET_ASIDE, { 'x-starts': 1 }],
    [DEAD, { 'x-dead-reason': 'failed', 'x-dead-attempts': 5, 'x-dead-queue': 'orders' }],
    [EXPIRED, { 'x-dead-reason': 'expired' }],
  ])('of %j has that in its headers', async (outcome, headers) => {
    const { settleAs, copies } = setUp({ message: { headers: { tenant: 't1' } } });
    await settleAs(outcome);
    expect(copies).toMatchObject([{ messageId: 'id-1', headers: { tenant: 't1', ...headers } }]);
  });
});

describe('settling', () => {
  it('tells the broker one thing of each delivery, and never acks what failed without a copy', async () => {
    const outcomes = fc.constantFrom(SUCCEEDED, DROPPED, RETURNED, RETRY, DEFER, SET_ASIDE, DEAD, EXPIRED);
    const answers = fc.constantFrom(undefined, AWAY, INVALID, new RangeError('no'), 'text', null);
    await fc.assert(
      fc.asyncProperty(outcomes, fc.boolean(), answers, async (outcome, isChannelDead, problem) => {
        const store = (): Promise<void> =>
          problem === undefined ? Promise.resolve() : Promise.reject(problem);
        const { settleAs, log } = setUp({ isChannelDead, store });
        const end = await settleAs(outcome);
        const told = log.filter((entry) => entry === 'ack' || entry === 'give back');
        const isFine = outcome.kind === 'succeeded' || outcome.kind === 'dropped' || log.includes('stored');
        expect(told).toEqual([isFine ? 'ack' : 'give back']);
        expect(end === 'lost').toBe(isChannelDead);
      }),
    );
  });
});
