import { describe, expect, it, jest } from '@jest/globals';
import {
  FakeConsumeChannel,
  fakeableTimers,
  fakeTimeInEachTest,
  gate,
} from '../../../../test/support/fake-broker.js';
import type {
  ConsumeChannel,
  ConsumeRequest,
  IncomingMessage,
  OutgoingMessage,
} from '../broker/broker.port.js';
import { type Refusal, toError } from '../errors/refusal.js';
import type { RedriveOptions, RedriveProgress, RedriveResult } from './dead-letter-results.js';
import type { DeadLetterServiceDeps } from './dead-letter.service.js';
import type { LetterConnection } from './ready-letters.js';
import type { DeadLetterSelection } from './selection.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { DeadLetterService } = await import('./dead-letter.service.js');

type Letter = Partial<IncomingMessage>;

const ALL: DeadLetterSelection = { all: true };
const FAST = { ratePerSec: 1_000_000 };
const A_LONG_TIME_MS = 600_000;

/** A broker with one dead-letter queue, which behaves as the real one does. */
class DeadQueue implements LetterConnection {
  readonly channels: LetterChannel[] = [];
  ready: Letter[];
  /** Said to be ready beyond those that are. */
  miscounted = 0;

  constructor(
    readonly log: string[],
    ids: readonly string[],
  ) {
    this.ready = ids.map((id) => letter(id));
  }

  get ids(): Array<string | undefined> {
    return this.ready.map(({ messageId }) => messageId);
  }

  async openConsumeChannel(): Promise<ConsumeChannel> {
    const channel = new LetterChannel(this);
    this.channels.push(channel);
    return channel;
  }

  async inspectQueue(name: string) {
    const readyMessages = this.ready.length + this.miscounted;
    return name === 'orders.dead' ? { readyMessages, consumers: 0 } : undefined;
  }
}

class LetterChannel extends FakeConsumeChannel {
  private readonly out = new Map<number, Letter>();

  constructor(private readonly queue: DeadQueue) {
    super();
  }

  override async consume(request: ConsumeRequest): Promise<void> {
    await super.consume(request);
    this.fill();
  }

  override ack(deliveryTag: number): boolean {
    if (!super.ack(deliveryTag)) return false;
    this.queue.log.push(`ack ${this.out.get(deliveryTag)?.messageId}`);
    this.out.delete(deliveryTag);
    this.fill();
    return true;
  }

  override end(reason: string): void {
    super.end(reason);
    this.queue.ready.unshift(...this.out.values());
    this.out.clear();
  }

  private fill(): void {
    while (this.out.size < this.request.prefetch) {
      const next = this.queue.ready.shift();
      if (!next) return;
      this.out.set(this.deliver(next), next);
    }
  }
}

function letter(
  messageId: string,
  headers: IncomingMessage['headers'] = { 'x-dead-reason': 'failed' },
): Letter {
  return { messageId, headers };
}

function refused(reason: Refusal['reason'], retryAfterMs?: number): Error {
  return toError({ queue: 'orders', messageId: 'x', because: 'so it is', reason, retryAfterMs });
}

function setUp(ids: readonly string[] = ['a', 'b', 'c'], deps: Partial<DeadLetterServiceDeps> = {}) {
  const log: string[] = [];
  const queue = new DeadQueue(log, ids);
  const answers: Array<Error | Promise<void>> = [];
  const send = async (message: OutgoingMessage): Promise<void> => {
    log.push(`send ${message.messageId}`);
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    await answer;
  };
  const service = new DeadLetterService({ connection: queue, send, ...deps });
  const redrive = (selection = ALL, options: RedriveOptions = FAST): Promise<RedriveResult> =>
    inTime(service.redrive('orders', selection, options));
  return { service, queue, log, answers, redrive };
}

/** What the promise gives, with all the time in the world. */
async function inTime<T>(promise: Promise<T>): Promise<T> {
  const end = promise.then(
    (value) => () => value,
    (error: unknown) => () => {
      throw error;
    },
  );
  await jest.advanceTimersByTimeAsync(A_LONG_TIME_MS);
  return (await end)();
}

function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('dead letters', () => {
  fakeTimeInEachTest();

  describe('when looked at', () => {
    it('are shown oldest first, as many as asked for, and none is consumed', async () => {
      const { service, queue } = setUp(['a', 'b', 'c', 'd']);
      const letters = await service.peek('orders', { limit: 3 });
      expect(letters.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
      // All were out at a time: only then do they go back in their order.
      expect(queue.channels[0]?.request.prefetch).toBe(4);
      expect(queue.log).toEqual([]);
      expect(queue.ids).toEqual(['a', 'b', 'c', 'd']);
    });

    it('are looked for behind those that are not selected', async () => {
      const { service, queue } = setUp(['a', 'b', 'c', 'd']);
      queue.ready.splice(1, 0, letter('odd', { 'x-dead-reason': 'expired' }));
      queue.ready.push(letter('late', { 'x-dead-reason': 'expired' }));
      const letters = await service.peek('orders', { selection: { errorClass: 'expired' } });
      expect(letters.map(({ id }) => id)).toEqual(['odd', 'late']);
    });

    it('are read no further than as many as may be held', async () => {
      const { service, queue } = setUp(['a', 'b', 'c'], { maxHeld: 2 });
      const letters = await service.peek('orders');
      expect(letters.map(({ id }) => id)).toEqual(['a', 'b']);
      expect(queue.channels[0]?.request.prefetch).toBe(2);
    });

    it('are none when the queue is empty', async () => {
      const { service, queue } = setUp([]);
      await expect(service.peek('orders')).resolves.toEqual([]);
      await expect(service.count('orders')).resolves.toEqual({
        total: 0,
        counted: 0,
        classes: [],
        isComplete: true,
      });
      expect(queue.channels).toEqual([]);
    });

    it('are counted by class, the largest first', async () => {
      const { service, queue } = setUp(['a', 'b']);
      queue.ready.unshift(letter('odd', { 'x-dead-reason': 'expired' }));
      await expect(service.count('orders')).resolves.toEqual({
        total: 3,
        counted: 3,
        classes: [
          { errorClass: 'failed', count: 2 },
          { errorClass: 'expired', count: 1 },
        ],
        isComplete: true,
      });
      expect(queue.ids).toEqual(['odd', 'a', 'b']);
    });

    it('are counted up to the limit, and the count says that there are more', async () => {
      const { service } = setUp(['a', 'b', 'c']);
      await expect(service.count('orders', { limit: 2 })).resolves.toMatchObject({
        total: 3,
        counted: 2,
        isComplete: false,
      });
    });

    it('are counted without those that somebody else took meanwhile', async () => {
      const { service, queue } = setUp(['a', 'b']);
      queue.miscounted = 1;
      const counting = service.count('orders');
      await jest.advanceTimersByTimeAsync(50);
      queue.miscounted = 0;
      await expect(inTime(counting)).resolves.toMatchObject({ total: 3, counted: 2, isComplete: false });
    });

    it('go back when the signal aborts', async () => {
      const { service, queue } = setUp(['a']);
      queue.miscounted = 1;
      const abort = new AbortController();
      const counting = service.count('orders', { signal: abort.signal });
      const end = errorOf(counting);
      await jest.advanceTimersByTimeAsync(50);
      abort.abort(new Error('enough'));
      expect(await inTime(end)).toEqual(new Error('enough'));
      expect(queue.ids).toEqual(['a']);
    });

    it('say when they could not be read to the end', async () => {
      const { service, queue } = setUp(['a']);
      queue.miscounted = 1;
      const counting = service.count('orders');
      const end = errorOf(counting);
      await jest.advanceTimersByTimeAsync(50);
      queue.channels[0]?.end('connection reset');
      expect(await end).toMatchObject({
        code: 'WQ_DEAD_LETTER',
        message:
          'orders.dead could not be read to its end (connection reset); what was not removed is still there: run it again to go on',
      });
    });

    it('say so too when the broker cancels the reading', async () => {
      const { service, queue } = setUp(['a']);
      queue.miscounted = 1;
      const counting = service.count('orders');
      const end = errorOf(counting);
      await jest.advanceTimersByTimeAsync(50);
      queue.channels[0]?.request.onCancelled();
      expect(String(await end)).toContain('the broker cancelled the consumer');
    });
  });

  describe('when redriven', () => {
    it('are removed one by one, each after its confirm', async () => {
      const { service, queue, log, answers } = setUp(['a', 'b']);
      const confirm = gate();
      answers.push(confirm.promise);
      const running = service.redrive('orders', ALL, FAST);
      await jest.advanceTimersByTimeAsync(A_LONG_TIME_MS);
      expect(log).toEqual(['send a']);
      confirm.open();
      await expect(inTime(running)).resolves.toEqual({
        ready: 2,
        looked: 2,
        matched: 2,
        redriven: 2,
        left: 0,
        notFound: [],
        unsendable: [],
        end: { kind: 'finished' },
      });
      expect(log).toEqual(['send a', 'ack a', 'send b', 'ack b']);
      expect(queue.ids).toEqual([]);
    });

    it('leave the others where they are', async () => {
      const { queue, redrive } = setUp(['a', 'b', 'c', 'd']);
      await expect(redrive({ ids: ['c', 'z', 'b'] })).resolves.toMatchObject({
        looked: 4,
        matched: 2,
        redriven: 2,
        left: 2,
        notFound: ['z'],
      });
      expect(queue.ids).toEqual(['a', 'd']);
    });

    it('change nothing in a dry run', async () => {
      const { queue, log, redrive } = setUp();
      await expect(redrive({ ids: ['b'] }, { dryRun: true })).resolves.toMatchObject({
        matched: 1,
        redriven: 0,
        left: 3,
      });
      expect([queue.ids, log]).toEqual([['a', 'b', 'c'], []]);
    });

    it('wait as long as a refusal says, which is told, and go on with the same letter', async () => {
      const { log, answers, redrive } = setUp(['a', 'b']);
      answers.push(refused('queue-full', 5_000), refused('unknown', 3_000));
      const progress: RedriveProgress[] = [];
      const options = { ...FAST, onProgress: (each: RedriveProgress) => void progress.push(each) };
      await expect(redrive(ALL, options)).resolves.toMatchObject({ redriven: 2, end: { kind: 'finished' } });
      expect(log).toEqual(['send a', 'send a', 'send a', 'ack a', 'send b', 'ack b']);
      const told = progress.map(({ redriven, waiting }) => [redriven, waiting?.forMs]);
      expect(told).toEqual([
        [0, 5_000],
        [0, 3_000],
        [1, undefined],
        [2, undefined],
      ]);
      const because = 'queue orders is full (so it is); try again later';
      expect(progress[0]).toEqual({
        ready: 2,
        looked: 1,
        matched: 1,
        redriven: 0,
        waiting: { because, forMs: 5_000 },
      });
    });

    it('stay when the signal aborts while they wait, and are redriven by the next run', async () => {
      const { service, queue, log, answers, redrive } = setUp(['a', 'b', 'c']);
      const abort = new AbortController();
      answers.push(Promise.resolve(), refused('queue-full', 60_000));
      const running = service.redrive('orders', ALL, { ...FAST, signal: abort.signal });
      await jest.advanceTimersByTimeAsync(1_000);
      abort.abort();
      await expect(running).resolves.toMatchObject({ redriven: 1, left: 2, end: { kind: 'aborted' } });
      expect(queue.ids).toEqual(['b', 'c']);
      await expect(redrive()).resolves.toMatchObject({ redriven: 2, end: { kind: 'finished' } });
      expect(log.filter((entry) => entry.startsWith('ack'))).toEqual(['ack a', 'ack b', 'ack c']);
    });

    it('are removed when they were confirmed after the signal aborted', async () => {
      const { service, queue, answers } = setUp(['a', 'b']);
      const abort = new AbortController();
      const confirm = gate();
      answers.push(confirm.promise);
      const running = service.redrive('orders', ALL, { ...FAST, signal: abort.signal });
      await jest.advanceTimersByTimeAsync(10);
      abort.abort();
      confirm.open();
      await expect(running).resolves.toMatchObject({ redriven: 1, left: 1, end: { kind: 'aborted' } });
      expect(queue.ids).toEqual(['b']);
    });

    it('are not sent once the broker has taken them back', async () => {
      const { service, queue, log, answers } = setUp(['a', 'b']);
      answers.push(refused('broker-unavailable', 1_000));
      const running = service.redrive('orders', ALL, FAST);
      await jest.advanceTimersByTimeAsync(10);
      queue.channels[0]?.end('delivery acknowledgement timed out');
      const { redriven, end } = await inTime(running);
      expect([redriven, log, queue.ids]).toEqual([0, ['send a'], ['a', 'b']]);
      expect(end).toMatchObject({ kind: 'failed', error: { code: 'WQ_DEAD_LETTER' } });
    });

    it('are not counted as redriven when their removal came too late', async () => {
      const { service, queue, answers } = setUp(['a', 'b']);
      const confirm = gate();
      answers.push(confirm.promise);
      const running = service.redrive('orders', ALL, FAST);
      await jest.advanceTimersByTimeAsync(10);
      queue.channels[0]?.end('connection reset');
      confirm.open();
      await expect(inTime(running)).resolves.toMatchObject({ redriven: 0, left: 2, end: { kind: 'failed' } });
      expect(queue.ids).toEqual(['a', 'b']);
    });

    it('stop at a queue that does not exist', async () => {
      const { queue, answers, redrive } = setUp();
      const unroutable = refused('unroutable');
      answers.push(unroutable);
      await expect(redrive()).resolves.toMatchObject({
        redriven: 0,
        end: { kind: 'failed', error: unroutable },
      });
      expect(queue.ids).toEqual(['a', 'b', 'c']);
    });

    it('are left where they are when they can never be sent, and the others go', async () => {
      const { queue, answers, redrive } = setUp();
      const refusal = refused('invalid-message');
      answers.push(Promise.resolve(), refusal);
      await expect(redrive()).resolves.toMatchObject({
        redriven: 2,
        left: 1,
        unsendable: [{ id: 'b', because: refusal.message }],
        end: { kind: 'finished' },
      });
      expect(queue.ids).toEqual(['b']);
    });

    it('are those that were there at the start: what fails again is left to the next run', async () => {
      const log: string[] = [];
      const queue = new DeadQueue(log, ['a', 'b']);
      const send = async ({ messageId }: OutgoingMessage): Promise<void> => {
        log.push(`send ${messageId}`);
        queue.ready.push(letter(messageId));
      };
      const service = new DeadLetterService({ connection: queue, send });
      await expect(inTime(service.redrive('orders', ALL, FAST))).resolves.toMatchObject({ redriven: 2 });
      expect(log).toEqual(['send a', 'ack a', 'send b', 'ack b']);
      expect(queue.ids).toEqual(['a', 'b']);
    });

    it('come to an end though others take letters meanwhile', async () => {
      const { service, queue } = setUp(['a']);
      queue.miscounted = 2;
      const running = service.redrive('orders', ALL, FAST);
      await jest.advanceTimersByTimeAsync(10);
      queue.miscounted = 0;
      await expect(inTime(running)).resolves.toMatchObject({
        ready: 3,
        redriven: 1,
        end: { kind: 'finished' },
      });
    });

    it('are out of reach behind as many others as may be held, and the result says so', async () => {
      const { queue, redrive } = setUp(['a', 'b', 'c'], { maxHeld: 2 });
      await expect(redrive({ ids: ['c'] })).resolves.toMatchObject({
        looked: 2,
        redriven: 0,
        notFound: ['c'],
        end: { kind: 'held-limit' },
      });
      expect(queue.ids).toEqual(['a', 'b', 'c']);
    });

    it('keep their id from one try to the next when they never had one', async () => {
      const { queue, log, answers, redrive } = setUp([]);
      queue.ready.push({ messageId: undefined });
      answers.push(refused('unknown', 1_000));
      await expect(redrive()).resolves.toMatchObject({ redriven: 1 });
      const [first, second] = log;
      expect(first).toMatch(/^send [0-9a-f-]{36}$/);
      expect(second).toBe(first);
    });

    it('stop when telling of the progress fails', async () => {
      const { redrive } = setUp();
      const onProgress = (): void => {
        throw new Error('no terminal');
      };
      await expect(redrive(ALL, { ...FAST, onProgress })).resolves.toMatchObject({
        redriven: 1,
        left: 2,
        end: { kind: 'failed', error: new Error('no terminal') },
      });
    });
  });

  describe('when discarded', () => {
    it('are removed, the selected ones only', async () => {
      const { service, queue, log } = setUp();
      const discarding = service.discard('orders', { ids: ['b', 'z'] });
      await expect(discarding).resolves.toEqual({
        ready: 3,
        looked: 3,
        matched: 1,
        discarded: 1,
        left: 2,
        notFound: ['z'],
        end: { kind: 'finished' },
      });
      expect([queue.ids, log]).toEqual([['a', 'c'], ['ack b']]);
    });

    it('stay in a dry run', async () => {
      const { service, queue } = setUp();
      const end = { matched: 3, discarded: 0, left: 3 };
      await expect(service.discard('orders', ALL, { dryRun: true })).resolves.toMatchObject(end);
      expect(queue.ids).toEqual(['a', 'b', 'c']);
    });

    it('stay when the signal has aborted already', async () => {
      const { service, queue } = setUp();
      const signal = AbortSignal.abort();
      const end = { discarded: 0, end: { kind: 'aborted' } };
      await expect(service.discard('orders', ALL, { signal })).resolves.toMatchObject(end);
      expect(queue.ids).toEqual(['a', 'b', 'c']);
    });
  });

  describe('refuse', () => {
    it.each([0, 1_001, 1.5, Number.NaN])('a peek at %s of them', async (limit) => {
      const { service } = setUp();
      const message = `expected limit to be an integer from 1 to 1000, got: ${limit}`;
      await expect(service.peek('orders', { limit })).rejects.toThrow(message);
    });

    it('a count of 0', async () => {
      await expect(setUp().service.count('orders', { limit: 0 })).rejects.toThrow('got: 0');
    });

    it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('a rate of %s', async (ratePerSec) => {
      const { redrive, queue } = setUp();
      await expect(redrive(ALL, { ratePerSec })).rejects.toThrow(
        `expected ratePerSec to be a number above 0, got: ${ratePerSec}`,
      );
      expect(queue.channels).toEqual([]);
    });

    it('an empty selection', async () => {
      const { service } = setUp();
      await expect(service.discard('orders', { ids: [] })).rejects.toThrow(
        'expected ids to be a list of one or more',
      );
    });

    it('a queue that has no dead-letter queue', async () => {
      const { service } = setUp();
      await expect(service.peek('odrers')).rejects.toThrow(
        'there is no dead-letter queue "odrers.dead" on this broker: expected the name of a work queue, got: "odrers"',
      );
      await expect(service.peek('odrers')).rejects.toMatchObject({ code: 'WQ_DEAD_LETTER', queue: 'odrers' });
    });

    it('to hold none', () => {
      expect(() => setUp([], { maxHeld: 0 })).toThrow(
        'expected maxHeld to be an integer from 1 to 65535, got: 0',
      );
    });
  });
});
