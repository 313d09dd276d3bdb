import { getEventListeners } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '../../../../test/support/until.js';
import { DropWork } from '../errors/drop-work.error.js';
import { HandlerRegistrationError } from '../errors/handler-registration.error.js';
import { PermanentFailure } from '../errors/permanent-failure.error.js';
import { RetryLater } from '../errors/retry-later.error.js';
import { ThreadDied } from './thread-died.error.js';
import { ThreadPool } from './thread-pool.js';

const FIXTURES = join(import.meta.dirname, '../../../../test/fixtures');
const fixture = (name: string): URL => pathToFileURL(join(FIXTURES, name));

describe('a pool of threads', () => {
  const pools: ThreadPool[] = [];

  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.close()));
  });

  function open(size = 1, file = fixture('work.thread.mjs')): ThreadPool {
    const pool = new ThreadPool(file, size);
    pools.push(pool);
    return pool;
  }

  const failureOf = (task: Promise<unknown>): Promise<unknown> => task.catch((error: unknown) => error);

  it('resolves with what the function of the module returned', async () => {
    await expect(open().run({ do: 'double', number: 21 })).resolves.toBe(42);
  });

  it('copies its input, and hands over what is to be transferred', async () => {
    const pool = open();
    const bytes = new ArrayBuffer(1_000);
    await expect(pool.run({ do: 'length', bytes })).resolves.toBe(1_000);
    expect(bytes.byteLength).toBe(1_000);
    await expect(pool.run({ do: 'length', bytes }, { transfer: [bytes] })).resolves.toBe(1_000);
    expect(bytes.byteLength).toBe(0);
  });

  it('keeps its thread for the next task', async () => {
    const pool = open();
    await pool.run({ do: 'count' });
    await expect(pool.run({ do: 'count' })).resolves.toBe(2);
  });

  describe('checked at start', () => {
    it('is content with a module that has a function', async () => {
      const pool = open();
      await pool.check();
      await expect(pool.run({ do: 'count' })).resolves.toBe(1);
    });

    it.each([
      ['is not there', 'absent.thread.mjs', /absent\.thread\.mjs cannot be used: .*Cannot find module/],
      ['has no function to run', 'no-default.thread.mjs', /expected its default export to be a function/],
    ])('names a module that %s', async (_kind, name, message) => {
      const failure = await failureOf(open(1, fixture(name)).check());
      expect(failure).toBeInstanceOf(HandlerRegistrationError);
      expect(String(failure)).toMatch(message);
    });
  });

  describe('whose function throws', () => {
    it('rejects with name, message, stack and cause of the error', async () => {
      const failure = await failureOf(open().run({ do: 'throwError' }));
      expect(failure).toBeInstanceOf(Error);
      expect(failure).toMatchObject({
        name: 'RangeError',
        message: 'too far',
        stack: expect.stringContaining('work.thread.mjs'),
        cause: { message: 'a deeper one' },
      });
    });

    it.each([Number.NaN, -5, 1e15, 'soon'])(
      'rejects with a plain error for a RetryLater of %p',
      async (delayMs) => {
        const thrown = { do: 'throwCoded', name: 'RetryLater', code: 'WQ_RETRY_LATER', fields: { delayMs } };
        expect(await failureOf(open().run(thrown))).not.toBeInstanceOf(RetryLater);
      },
    );

    it.each([
      ['a PermanentFailure', 'WQ_PERMANENT_FAILURE', PermanentFailure, {}],
      ['a RetryLater', 'WQ_RETRY_LATER', RetryLater, { delayMs: 30_000 }],
      ['a DropWork', 'WQ_DROP_WORK', DropWork, {}],
    ])('rejects with %s that was one', async (_kind, code, type, fields) => {
      const thrown = { do: 'throwCoded', name: type.name, code, fields };
      const failure = await failureOf(open().run(thrown));
      expect(failure).toBeInstanceOf(type);
      expect(failure).toMatchObject({ name: type.name, code, message: 'said in the thread', ...fields });
    });

    it('knows a PermanentFailure of another copy of the package by its code', async () => {
      await expect(open().run({ do: 'throwPermanent' })).rejects.toBeInstanceOf(PermanentFailure);
    });

    it('rejects with a text that was thrown', async () => {
      expect(await failureOf(open().run({ do: 'throwText' }))).toBe('just a text');
    });

    it('leaves out of an error what cannot be copied', async () => {
      const failure = await failureOf(open().run({ do: 'throwUncloneable' }));
      expect(failure).toMatchObject({ message: 'with a function in it', left: 1 });
      expect(failure).not.toHaveProperty('call');
    });
  });

  it.each([
    ['ends itself', 'exit', /exited with code: 3/],
    ['fails where nobody waits for it', 'reject', /nobody waits for this/],
  ])('rejects the task of a thread that %s, and goes on', async (_kind, what, message) => {
    const pool = open();
    const failure = await failureOf(pool.run({ do: what }));
    expect(failure).toBeInstanceOf(ThreadDied);
    expect(String(failure)).toMatch(message);
    await expect(pool.run({ do: 'double', number: 1 })).resolves.toBe(2);
  });

  it.each([
    ['an input', { do: 'double', call: () => undefined }],
    ['a result', { do: 'returnFunction' }],
  ])('says that %s cannot be copied, and goes on', async (_kind, input) => {
    const pool = open();
    const failure = await failureOf(pool.run(input));
    expect(failure).toMatchObject({
      name: 'DataCloneError',
      message: expect.stringContaining('could not be cloned'),
    });
    await expect(pool.run({ do: 'double', number: 1 })).resolves.toBe(2);
  });

  describe('that is told to stop', () => {
    it('ends a hot loop, rejects with the reason, and has its thread free for the next task', async () => {
      const pool = open();
      const started = shared();
      const timeout = new AbortController();
      const failure = failureOf(pool.run({ do: 'burn', started }, { signal: timeout.signal }));
      await changed(started, 0);
      const reason = new Error('took too long');
      timeout.abort(reason);
      expect(await failure).toBe(reason);
      await expect(pool.run({ do: 'double', number: 1 })).resolves.toBe(2);
    });

    it('never starts a task that waits for a thread', async () => {
      const pool = open();
      const [running, gate] = [shared(), shared()];
      const first = pool.run({ do: 'overlap', running, gate });
      await changed(running, 0);
      const waiting = new AbortController();
      const second = failureOf(pool.run({ do: 'burn' }, { signal: waiting.signal }));
      waiting.abort();
      expect(await second).toMatchObject({ name: 'AbortError' });
      letGo(gate);
      await expect(first).resolves.toBe(1);
    });

    it('starts nothing under a signal that has aborted', async () => {
      const reason = new Error('already over');
      await expect(open().run({ do: 'burn' }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    });

    it('leaves no listener on a signal that lives on', async () => {
      const { signal } = new AbortController();
      await open().run({ do: 'double', number: 1 }, { signal });
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });
  });

  it('leaves the event loop to others while a thread keeps a processor busy', async () => {
    const pool = open();
    await pool.check();
    const lateness = watchLateness();
    await pool.run({ do: 'burn', ms: 2_000 });
    expect(lateness.stop()).toBeLessThan(100);
  });

  it('runs as many tasks at once as it has threads, and no more', async () => {
    expect(await mostTogether(open(2), 2)).toBe(2);
  });

  it('runs more at once when it has grown', async () => {
    const pool = open(1);
    await pool.check();
    pool.resize(3);
    expect(await mostTogether(pool, 3)).toBe(3);
  });

  it('takes nothing any more once it is closed, and ends what runs', async () => {
    const pool = open();
    const started = shared();
    const running = failureOf(pool.run({ do: 'burn', started }));
    await changed(started, 0);
    await pool.close();
    expect(await running).toBeInstanceOf(ThreadDied);
    await expect(pool.run({ do: 'count' })).rejects.toBeInstanceOf(ThreadDied);
  });
});

function shared(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4));
}

/** Resolves when a thread has changed the shared number from this one. */
async function changed(memory: Int32Array, from: number): Promise<void> {
  await until(async () => (Atomics.load(memory, 0) === from ? `it is still ${from}` : undefined), 10_000);
}

function letGo(gate: Int32Array): void {
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
}

/** How many of five tasks ran at once, the gate being opened when `expected` of them run. */
async function mostTogether(pool: ThreadPool, expected: number): Promise<number> {
  const [running, gate] = [shared(), shared()];
  const tasks = Array.from({ length: 5 }, () => pool.run({ do: 'overlap', running, gate }));
  for (let seen = 0; seen < expected; seen = Atomics.load(running, 0)) await changed(running, seen);
  letGo(gate);
  return Math.max(...(await Promise.all(tasks)).map(Number));
}

/** The longest that a timer of this thread came late, in milliseconds. */
function watchLateness(): { stop(): number } {
  const everyMs = 10;
  let last = performance.now();
  let worst = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    worst = Math.max(worst, now - last - everyMs);
    last = now;
  }, everyMs);
  return {
    stop: () => {
      clearInterval(timer);
      return worst;
    },
  };
}
