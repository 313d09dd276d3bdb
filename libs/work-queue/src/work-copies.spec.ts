import { describe, expect, it, jest } from '@jest/globals';
import {
  FakeConnection,
  fakeableTimers,
  fakeTimeInEachTest,
  gate,
  settled,
} from '../../../test/support/fake-broker.js';
import type { ConfirmAnswer, OutgoingMessage } from './broker/broker.port.js';
import { BrokerUnavailableError } from './errors/broker-unavailable.error.js';
import { InvalidMessageError } from './errors/invalid-message.error.js';
import { ManagementError } from './errors/management.error.js';
import type { WorkCopy } from './settle/work-copy.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { Publisher } = await import('./publish/publisher.js');
const { WorkCopies } = await import('./work-copies.js');

const CONFIRM_TIMEOUT_MS = 5_000;
const SLOT_WAIT_MS = 50;
const MAX_BYTES = 10;

const DETAILS = { queue: 'orders.dead', messageId: 'id-1' };

const COPY: WorkCopy = {
  body: Buffer.from('{}'),
  messageId: 'id-1',
  contentType: 'application/json',
  headers: { 'x-attempts': 1 },
};

interface Setup {
  readonly settleMs?: number;
  readonly ensureStep?: (delayMs: number) => Promise<{ settleMs: number }>;
}

const closeAfterTest = fakeTimeInEachTest();

async function setUp({ settleMs = 0, ensureStep = async () => ({ settleMs: 0 }) }: Setup = {}) {
  const connection = new FakeConnection();
  const publisher = new Publisher(
    connection,
    { messages: 1, bytes: 100 },
    { slotWaitMs: SLOT_WAIT_MS, confirmTimeoutMs: CONFIRM_TIMEOUT_MS, maxMessageBytes: MAX_BYTES },
  );
  closeAfterTest(() => publisher.close(0));
  await publisher.open();
  const stepsMs: number[] = [];
  const copies = new WorkCopies('orders', {
    publisher,
    ensureStep: (delayMs) => {
      stepsMs.push(delayMs);
      return ensureStep(delayMs);
    },
    settleMs,
  });
  /** Past the wait for new queues, when there is none. */
  if (settleMs === 0) await jest.advanceTimersByTimeAsync(1);
  const sent = (): OutgoingMessage[] => connection.publishChannel.sent.map(({ message }) => message);
  const answer = async (given: ConfirmAnswer): Promise<void> => {
    await settled();
    connection.publishChannel.sent.at(-1)?.answer(given);
  };
  return { copies, connection, publisher, stepsMs, sent, answer };
}

/** Its error, or undefined once it is stored; 'pending' before. */
function watch(storing: Promise<void>): { end: unknown } {
  const watched: { end: unknown } = { end: 'pending' };
  storing.then(
    () => (watched.end = undefined),
    (error: unknown) => (watched.end = error),
  );
  return watched;
}

describe('a copy', () => {
  it('waits in the queue of its step, which is made sure of first', async () => {
    const made = gate<{ settleMs: number }>();
    const { copies, stepsMs, sent, answer } = await setUp({ ensureStep: () => made.promise });
    const storing = copies.toWait(COPY, 120_000);
    await settled();
    expect([stepsMs, sent()]).toEqual([[120_000], []]);
    made.open({ settleMs: 0 });
    await answer('acked');
    await storing;
    expect(sent()).toEqual([{ ...COPY, queue: 'orders.wait.2m' }]);
  });

  it('of what was set aside is in the queue of what runs alone at once', async () => {
    const { copies, stepsMs, sent, answer } = await setUp();
    const storing = copies.toAlone(COPY);
    await answer('acked');
    await storing;
    expect([stepsMs, sent()]).toEqual([[], [{ ...COPY, queue: 'orders.alone' }]]);
  });

  it('of dead work is in the dead-letter queue', async () => {
    const { copies, stepsMs, sent, answer } = await setUp();
    const storing = copies.toDead(COPY);
    await answer('acked');
    await storing;
    expect([stepsMs, sent()]).toEqual([[], [{ ...COPY, queue: 'orders.dead' }]]);
  });

  it('is stored only when the broker says so', async () => {
    const { copies, answer } = await setUp();
    const storing = watch(copies.toDead(COPY));
    await jest.advanceTimersByTimeAsync(CONFIRM_TIMEOUT_MS - 1);
    expect(storing.end).toBe('pending');
    await answer('acked');
    await settled();
    expect(storing.end).toBeUndefined();
  });
});

describe('a queue just made', () => {
  it.each<[string, (copies: InstanceType<typeof WorkCopies>) => Promise<void>]>([
    ['wait', (copies) => copies.toWait(COPY, 1_000)],
    ['alone', (copies) => copies.toAlone(COPY)],
    ['dead', (copies) => copies.toDead(COPY)],
  ])('gets nothing before it has settled: %s', async (_which, store) => {
    const { copies, sent, answer } = await setUp({ settleMs: 1_500 });
    const storing = store(copies);
    await jest.advanceTimersByTimeAsync(1_499);
    expect(sent()).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(sent()).toHaveLength(1);
    await answer('acked');
    await storing;
  });

  it('gets nothing before it has settled when it is a step that was asked for just now', async () => {
    const { copies, sent, answer } = await setUp({ ensureStep: async () => ({ settleMs: 1_500 }) });
    const storing = copies.toWait(COPY, 1_000);
    await jest.advanceTimersByTimeAsync(1_499);
    expect(sent()).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    await answer('acked');
    await storing;
    expect(sent()).toHaveLength(1);
  });

  it('holds nobody up once it has settled', async () => {
    const { copies, sent, answer } = await setUp({ settleMs: 1_500 });
    await jest.advanceTimersByTimeAsync(1_500);
    const storing = copies.toDead(COPY);
    await answer('acked');
    await storing;
    expect(sent()).toHaveLength(1);
  });

  it('that cannot be made gets nothing, and the reason is told', async () => {
    const error = new ManagementError('no right to set policies');
    const { copies, sent } = await setUp({ ensureStep: () => Promise.reject(error) });
    await expect(copies.toWait(COPY, 1_000)).rejects.toBe(error);
    expect(sent()).toEqual([]);
  });
});

describe('a copy that is not stored', () => {
  it.each<[ConfirmAnswer, string]>([
    ['nacked', 'refused by the broker'],
    ['returned', 'there is no such queue'],
    ['lost', 'the connection went away before the confirm'],
  ])('rejects when the broker says %s', async (given, problem) => {
    const { copies, answer } = await setUp();
    const storing = watch(copies.toDead(COPY));
    await answer(given);
    await settled();
    expect(storing.end).toBeInstanceOf(BrokerUnavailableError);
    expect(storing.end).toMatchObject({
      message: `orders.dead: ${problem}`,
      queue: 'orders.dead',
      messageId: 'id-1',
    });
  });

  it('rejects when the broker says nothing in time', async () => {
    const { copies } = await setUp();
    const storing = watch(copies.toDead(COPY));
    await jest.advanceTimersByTimeAsync(CONFIRM_TIMEOUT_MS + 1_000);
    expect(storing.end).toEqual(new BrokerUnavailableError('orders.dead: no confirm in time', DETAILS));
  });

  it('rejects when the broker goes into an alarm before its answer, and after that at once', async () => {
    const { copies, connection } = await setUp();
    const storing = watch(copies.toDead(COPY));
    await settled();
    connection.block();
    await settled();
    expect(storing.end).toMatchObject({
      message: 'orders.dead: the broker went into an alarm before the confirm',
    });
    await expect(copies.toDead(COPY)).rejects.toThrow('orders.dead: the broker is in an alarm');
  });

  it('rejects at once while there is no connection', async () => {
    const { copies, connection } = await setUp();
    connection.lose();
    await settled();
    await expect(copies.toAlone(COPY)).rejects.toThrow('orders.alone: the connection is waiting');
  });

  it('rejects at once while its channel is opened again', async () => {
    const { copies, connection } = await setUp();
    const opened = gate();
    connection.beforeOpen = () => opened.promise;
    connection.publishChannel.end('closed by the broker');
    await settled();
    await expect(copies.toAlone(COPY)).rejects.toThrow('orders.alone: its channel is being opened');
    opened.open();
  });

  it('rejects when no slot of the window is free in time', async () => {
    const { copies, answer } = await setUp();
    const first = copies.toDead(COPY);
    await settled();
    const second = watch(copies.toDead({ ...COPY, messageId: 'id-2' }));
    await jest.advanceTimersByTimeAsync(SLOT_WAIT_MS);
    expect(second.end).toMatchObject({ message: 'orders.dead: not sent (window)', messageId: 'id-2' });
    await answer('acked');
    await first;
  });

  it('rejects when it is larger than its publisher sends', async () => {
    const { copies } = await setUp();
    const large = { ...COPY, body: Buffer.alloc(MAX_BYTES + 1) };
    await expect(copies.toDead(large)).rejects.toThrow('orders.dead: not sent (size)');
  });

  it('rejects as invalid when AMQP cannot carry it', async () => {
    const { copies, connection } = await setUp();
    connection.publishChannel.publish = () => {
      throw new RangeError('headers too large');
    };
    const storing = watch(copies.toDead(COPY));
    await settled();
    expect(storing.end).toBeInstanceOf(InvalidMessageError);
    expect(storing.end).toMatchObject({
      message: 'RangeError: headers too large',
      queue: 'orders.dead',
      messageId: 'id-1',
    });
  });
});
