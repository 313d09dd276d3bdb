import { fileURLToPath } from 'node:url';
import type { MessagePort, Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { describeThrown } from '../errors/describe-thrown.js';
import { HandlerRegistrationError } from '../errors/handler-registration.error.js';
import { type ThreadAnswer, type ThreadTask, valueOf } from './thread-answer.js';
import { ThreadDied } from './thread-died.error.js';

export interface ThreadRunOptions {
  /** Stops the thread, whatever it is doing. */
  readonly signal?: AbortSignal | undefined;
  /** Buffers to hand over rather than to copy; they are empty here afterwards. */
  readonly transfer?: ReadonlyArray<ArrayBuffer | MessagePort> | undefined;
}

/** n.b. in the sources from wherever this is loaded: it is no TypeScript, so nothing puts it into dist/. */
const ENTRY = fileURLToPath(new URL('../../src/threads/thread-entry.mjs', import.meta.url));

/** Long enough that the next photograph of a quiet day need not load its libraries again. */
const IDLE_MS = 60_000;

/**
 * Runs the default export of one module in threads of its own. Threads begin with the first work, run one task each,
 * and end after a minute without any; more tasks than threads wait for each other.
 */
export class ThreadPool {
  private readonly pool: Piscina<ThreadTask, ThreadAnswer>;
  private isClosed = false;

  /** @param size threads at the most, 1 or more: what runs at once */
  constructor(
    private readonly file: URL,
    size: number,
  ) {
    this.pool = new Piscina<ThreadTask, ThreadAnswer>({
      filename: ENTRY,
      minThreads: 0,
      maxThreads: size,
      idleTimeout: IDLE_MS,
      concurrentTasksPerWorker: 1,
      // Else a thread without a task sleeps so deeply that timers and connections of the module stand still.
      atomics: 'disabled',
    });
    // What a module does on its own between two tasks fails no work; the thread is gone, and the next task has a new one.
    this.pool.on('error', (error: Error) => process.emitWarning(error));
  }

  /**
   * Loads the module in the first thread, which then stays for the first task.
   * @throws HandlerRegistrationError when there is no such module, it cannot be loaded, or has no function to run
   */
  async check(): Promise<void> {
    try {
      valueOf(await this.ask({ file: this.file.href, isCheck: true }, {}));
    } catch (error) {
      throw new HandlerRegistrationError(
        `the threads module ${this.file.href} cannot be used: ${describeThrown(error)}`,
        { cause: error },
      );
    }
  }

  /**
   * Resolves with what the function returned for this input. Both are copied as `structuredClone` does: no functions,
   * and classes become plain objects.
   *
   * When the signal aborts, the thread is ended. Rejects with the signal's reason only when that has happened, so that
   * a task never runs beside more than the size of the pool allows. Native code ends at its next return to JavaScript.
   *
   * @throws whatever the function throws; PermanentFailure, RetryLater and DropWork are what they were
   * @throws ThreadDied
   * @throws Error `DataCloneError`: the input, or what was returned, cannot be copied
   */
  async run(input: unknown, options: ThreadRunOptions = {}): Promise<unknown> {
    return valueOf(await this.ask({ file: this.file.href, input }, options));
  }

  /** From the next task on. Threads that are too many are ended when they have had nothing to do for a minute. */
  resize(size: number): void {
    this.pool.options.maxThreads = size;
  }

  /** Ends every thread. What still runs is rejected with ThreadDied. Does nothing the second time. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.pool.destroy();
  }

  private async ask(task: ThreadTask, { signal, transfer }: ThreadRunOptions): Promise<ThreadAnswer> {
    if (this.isClosed) throw new ThreadDied('the threads have ended: the process is shutting down');
    signal?.throwIfAborted();
    const running = new AbortController();
    let stopped: Promise<unknown> | undefined;
    const stop = (): void => void (stopped = this.stop(running));
    signal?.addEventListener('abort', stop, { once: true });
    try {
      const transferList = transfer && [...transfer];
      return await this.pool.run(task, { signal: running.signal, transferList });
    } catch (error) {
      if (!stopped) throw explained(error);
      await stopped;
      throw signal?.reason;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Resolves when the thread of the task has really ended. A task that waits for a thread has none to end. */
  private async stop(running: AbortController): Promise<void> {
    const before: readonly Worker[] = this.pool.threads;
    running.abort();
    const rest = new Set(this.pool.threads);
    await Promise.all(before.filter((thread) => !rest.has(thread)).map((thread) => thread.terminate()));
  }
}

/** The function's own errors come as an answer: what piscina rejects with is the end of the thread. */
function explained(error: unknown): unknown {
  if (isCloneFailure(error)) return error;
  return new ThreadDied(`the thread ended before it had an answer: ${describeThrown(error)}`, {
    cause: error,
  });
}

/** n.b. a DOMException, which is no Error of every realm. */
function isCloneFailure(error: unknown): boolean {
  return typeof error === 'object' && error !== null && Reflect.get(error, 'name') === 'DataCloneError';
}
