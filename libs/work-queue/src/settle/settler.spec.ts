import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import {
  fakeableTimers,
  gate,
  incoming,
  RecordingTelemetry,
  settled,
  endFakeTime,
} from '../../../../test/support/fake-broker.js';
import { BrokerUnavailableError } from '../errors/broker-unavailable.error.js';
import { InvalidMessageError } from '../errors/invalid-message.error.js';
import type { IncomingMessage, OutgoingMessage } from '../broker/broker.port.js';
import type { JobEnd } from '../telemetry/telemetry.js';
import type { DeadLetterPublish, SettleOutcome } from './settler.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { Settler } = await import('./settler.js');

const DEAD: SettleOutcome = {
  kind: 'dead',
  reason: 'failed',
  attempts: 5,
  error: new TypeError('no such customer'),
};

const AWAY = new BrokerUnavailableError('the broker is away', { queue: 'orders.dead', messageId: 'id-1' });

interface Setup {
  readonly message?: Partial<IncomingMessage>;
  readonly isChannelDead?: boolean;
  readonly publish?: DeadLetterPublish;
}

function setUp({ message, isChannelDead = false, publish = async () => undefined }: Setup = {}) {
  const telemetry = new RecordingTelemetry();
  const log: string[] = [];
  const letters: OutgoingMessage[] = [];
  const settle = (how: string) => (): boolean => {
    log.push(how);
    return !isChannelDead;
  };
  const delivery = { message: incoming(message), ack: settle('ack'), giveBack: settle('give back') };
  const settler = new Settler(
    'orders',
    (letter) => {
      letters.push(letter);
      return publish(letter);
    },
    telemetry,
  );
  const stopping = new AbortController();
  const settleAs = (outcome: SettleOutcome): Promise<JobEnd> =>
    settler.settle(delivery, 'id-1', outcome, stopping.signal);
  return { settleAs, log, letters, telemetry, stopping };
}

beforeEach(() => {
  jest.useFakeTimers({ now: 1_700_000_000_000 });
});

afterEach(endFakeTime);

describe('settling', () => {
  it('acks what succeeded', async () => {
    const { settleAs, log } = setUp();
    expect(await settleAs({ kind: 'succeeded', result: undefined })).toBe('succeeded');
    expect(log).toEqual(['ack']);
  });

  it('gives back what was returned', async () => {
    const { settleAs, log } = setUp();
    expect(await settleAs({ kind: 'returned' })).toBe('returned');
    expect(log).toEqual(['give back']);
  });

  it('calls lost what it could not settle', async () => {
    for (const outcome of [{ kind: 'succeeded', result: undefined }, { kind: 'returned' }, DEAD] as const) {
      expect(await setUp({ isChannelDead: true }).settleAs(outcome)).toBe('lost');
    }
  });

  it('acks a dead message only once its copy is stored', async () => {
    const stored = gate();
    const { settleAs, log, letters } = setUp({ publish: () => stored.promise });
    const end = settleAs(DEAD);
    await settled();
    expect(letters).toHaveLength(1);
    expect(log).toEqual([]);
    stored.open();
    expect(await end).toBe('dead-lettered');
    expect(log).toEqual(['ack']);
  });

  it('tells what expired from what failed', async () => {
    const { settleAs, log, letters } = setUp();
    expect(await settleAs({ ...DEAD, reason: 'expired' })).toBe('expired');
    expect(log).toEqual(['ack']);
    expect(letters[0]?.headers).toHaveProperty('x-dead-reason', 'expired');
  });

  it('gives back a dead message whose copy was refused, after a pause, and says so', async () => {
    const { settleAs, log, telemetry } = setUp({ publish: () => Promise.reject(AWAY) });
    const end = settleAs(DEAD);
    await jest.advanceTimersByTimeAsync(999);
    expect(log).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(await end).toBe('returned');
    expect(log).toEqual(['give back']);
    expect(telemetry.named('settle.failed')).toEqual([
      {
        name: 'settle.failed',
        queue: 'orders',
        messageId: 'id-1',
        reason: `dead letter not stored: ${AWAY.message}`,
      },
    ]);
  });

  it.each([
    new RangeError('headers too large'),
    new InvalidMessageError('headers too large', { queue: 'orders.dead', messageId: 'id-1' }),
  ])('stores a dead message without its foreign headers when they cause %p, and acks it', async (error) => {
    const publish = async (letter: OutgoingMessage): Promise<void> => {
      if ('odd' in letter.headers) throw error;
    };
    const { settleAs, log, letters } = setUp({ message: { headers: { odd: 1 } }, publish });
    expect(await settleAs(DEAD)).toBe('dead-lettered');
    expect(log).toEqual(['ack']);
    expect(letters.at(-1)?.headers).not.toHaveProperty('odd');
    expect(letters.at(-1)?.headers).toHaveProperty('x-dead-reason', 'failed');
  });

  it('skips that pause when the process stops', async () => {
    const { settleAs, log, stopping } = setUp({ publish: () => Promise.reject(AWAY) });
    const end = settleAs(DEAD);
    await settled();
    stopping.abort();
    expect(await end).toBe('returned');
    expect(log).toEqual(['give back']);
  });

  it('settles each delivery exactly once, and acks no dead message without a copy', async () => {
    const outcomes = fc.constantFrom<SettleOutcome>(
      { kind: 'succeeded', result: undefined },
      { kind: 'returned' },
      DEAD,
    );
    await fc.assert(
      fc.asyncProperty(outcomes, fc.boolean(), fc.boolean(), async (outcome, isChannelDead, isStored) => {
        const publish = isStored ? async (): Promise<void> => undefined : () => Promise.reject(AWAY);
        const { settleAs, log, letters } = setUp({ isChannelDead, publish });
        const end = settleAs(outcome);
        await jest.advanceTimersByTimeAsync(1_000);
        expect(log).toHaveLength(1);
        expect((await end) === 'lost').toBe(isChannelDead);
        expect(letters).toHaveLength(outcome.kind === 'dead' ? 1 : 0);
        const mayAck = outcome.kind === 'succeeded' || (outcome.kind === 'dead' && isStored);
        expect(log[0]).toBe(mayAck ? 'ack' : 'give back');
      }),
    );
  });
});

describe('a dead letter', () => {
  it('is the message as it was, with why, whence and when in its headers', async () => {
    const message = { body: Buffer.from('{"a":1}'), headers: { tenant: 't1', 'x-sent': 1 } };
    const { settleAs, letters } = setUp({ message });
    await settleAs(DEAD);
    expect(letters).toEqual([
      {
        queue: 'orders.dead',
        body: message.body,
        messageId: 'id-1',
        contentType: 'application/json',
        headers: {
          tenant: 't1',
          'x-sent': 1,
          'x-dead-reason': 'failed',
          'x-dead-queue': 'orders',
          'x-dead-error': 'TypeError: no such customer',
          'x-dead-attempts': 5,
          'x-dead-at': 1_700_000_000_000,
        },
      },
    ]);
  });

  it('is not routed a second time to where the original was copied', async () => {
    const { settleAs, letters } = setUp({ message: { headers: { CC: ['audit'], tenant: 't1' } } });
    await settleAs(DEAD);
    expect(letters[0]?.headers).not.toHaveProperty('CC');
    expect(letters[0]?.headers).toHaveProperty('tenant');
  });

  it('asks for no reply: whoever redrives it is not the caller', async () => {
    const { settleAs, letters } = setUp({
      message: { replyTo: 'amq.rabbitmq.reply-to.g1h2', correlationId: 'c-1' },
    });
    await settleAs(DEAD);
    expect(letters[0]).not.toHaveProperty('replyTo');
    expect(letters[0]).not.toHaveProperty('correlationId');
  });

  it('tells an error of any length in 2,000 characters', async () => {
    const { settleAs, letters } = setUp();
    await settleAs({ ...DEAD, error: new Error('x'.repeat(5_000)) });
    expect(letters[0]?.headers['x-dead-error']).toHaveLength(2_000);
  });

  it('is made whatever was thrown', async () => {
    const unprintable = {
      toString: () => 7 as unknown as string,
      [Symbol.toPrimitive]: undefined,
      valueOf: undefined,
    };
    const hostile = Object.defineProperty(new Error('m'), 'message', {
      get: () => Object.create(null) as string,
    });
    for (const error of [
      undefined,
      null,
      7,
      Symbol('s'),
      Object.create(null),
      { a: 1 },
      unprintable,
      hostile,
    ]) {
      const { settleAs, letters } = setUp();
      expect(await settleAs({ ...DEAD, error })).toBe('dead-lettered');
      expect(letters[0]?.headers['x-dead-error']).toEqual(expect.any(String));
    }
  });
});
