import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { QueueQos } from '@spillway/qos';
import type { BrokerConnection } from './broker/broker.port.js';
import { aloneQueueOf, dueQueueOf } from './broker/queue-target.js';
import { Breaker } from './consume/breaker.js';
import type { ConsumerBounds } from './consume/consumer-bounds.js';
import {
  type DeliveryWork,
  HandlerConsumer,
  type HandlerConsumerOptions,
  type WorkConsumer,
} from './consume/handler-consumer.js';
import { StoreTrouble } from './consume/store-trouble.js';
import { WaitingBound } from './consume/waiting-bound.js';
import { ConfigurationError } from './errors/configuration.error.js';
import { HandlerRegistrationError } from './errors/handler-registration.error.js';
import type { Attempt } from './execute/attempt.js';
import { BatchExecutor } from './execute/batch-executor.js';
import { Executor } from './execute/executor.js';
import { RunningAttempts } from './execute/running-attempts.js';
import type { MountedHandler } from './execute/work-handler.js';
import { batchingOf, boundsOf } from './handler-bounds.js';
import { HandlerPipeline } from './handler-pipeline.js';
import type { Codec } from './message/codec.js';
import { Replier, type ReplyPublish } from './settle/replier.js';
import { type CopyStore, Settler } from './settle/settler.js';
import type { Telemetry } from './telemetry/telemetry.js';
import { withinDeadline } from './timing/within-deadline.js';
import { ThreadPool } from './threads/thread-pool.js';

export interface HandlerSettings {
  readonly qos: QueueQos;
  readonly codec: Codec<unknown>;
  readonly bounds: ConsumerBounds;
  readonly copies: CopyStore;
  /** Messages of the queue that wait for their next attempt; undefined when it cannot be told. */
  readonly readWaiting: () => Promise<number | undefined>;
  readonly publishReply: ReplyPublish;
}

/** One handler of this process, put together. */
interface Mounted {
  readonly consumer: HandlerConsumer;
  readonly running: RunningAttempts;
  stop(): Promise<void>;
}

interface ConsumerHooks extends Pick<HandlerConsumerOptions, 'setAside' | 'putBack' | 'onResize'> {
  readonly work: DeliveryWork;
}

/** The worker's side in one place: consume, execute, settle, reply, for every handler of this process. */
export class ConsumePipeline {
  private readonly mounted = new Map<string, Mounted>();
  private readonly handlers = new Map<string, string>();
  private isDraining = false;

  constructor(
    private readonly connection: BrokerConnection,
    private readonly telemetry: Telemetry,
    private readonly restoreQueues: () => Promise<void>,
  ) {}

  /** What keeps a handler of this process from working as it should. */
  get problems(): string[] {
    return [...this.mounted.values()].flatMap(({ consumer, running }) => [
      ...consumer.silentQueues.map((queue) => `not consuming ${queue}`),
      ...(running.stuckCount > 0
        ? [`${running.stuckCount} handlers of ${consumer.queue} do not end, long after their timeout`]
        : []),
    ]);
  }

  /** @throws ConfigurationError when no handler of this process consumes the queue */
  consumer(queue: string): WorkConsumer {
    const mounted = this.mounted.get(queue);
    if (mounted) return mounted.consumer;
    const known = [...this.mounted.keys()].map((name) => JSON.stringify(name)).join(', ') || 'none';
    throw new ConfigurationError(
      `no handler of this process consumes queue ${JSON.stringify(queue)}; it consumes: ${known}`,
    );
  }

  /**
   * Takes the queue for this handler and says how much of it may be out and running.
   * @throws HandlerRegistrationError when another handler of this process has it, or its options make no sense
   */
  reserve(handler: MountedHandler, qos: QueueQos): ConsumerBounds {
    const other = this.handlers.get(handler.queue);
    if (other !== undefined) {
      throw new HandlerRegistrationError(
        `queue ${JSON.stringify(handler.queue)} has two handlers, ${other} and ${handler.label}: each message would go to either. Keep one, give each a queue of its own, or provide the class in one module only.`,
        { queue: handler.queue },
      );
    }
    const bounds = boundsOf(handler, qos);
    this.handlers.set(handler.queue, handler.label);
    return bounds;
  }

  /**
   * Consumes the queue, unless told to drain meanwhile. When it rejects nothing is left behind, and the queue may be
   * reserved anew.
   * @throws HandlerRegistrationError when its threads module cannot be used
   */
  async start(handler: MountedHandler, settings: HandlerSettings): Promise<void> {
    const pool = handler.threads && new ThreadPool(handler.threads, settings.bounds.concurrency);
    const mounted = this.mount(handler, settings, pool);
    try {
      await checked(pool, handler);
      // A drain that came meanwhile has not seen it.
      if (this.isDraining) return await mounted.stop();
      this.mounted.set(handler.queue, mounted);
      await mounted.consumer.start();
    } catch (error) {
      this.mounted.delete(handler.queue);
      this.handlers.delete(handler.queue);
      await mounted.stop();
      throw error;
    }
  }

  /** From the call on nothing is begun, not even a consumer. */
  async drain(deadlineMs: number): Promise<void> {
    this.isDraining = true;
    await Promise.all(
      [...this.mounted.values()].map(async (mounted) => {
        await mounted.consumer.drain(deadlineMs);
        await mounted.stop();
      }),
    );
  }

  private mount(handler: MountedHandler, settings: HandlerSettings, pool: ThreadPool | undefined): Mounted {
    const { qos, codec, copies, publishReply, readWaiting } = settings;
    const { queue } = handler;
    const { telemetry } = this;
    const running = this.runningAttempts(handler, qos);
    // It settles through stages that in turn hold the consumer up, so it exists only after it.
    let pipeline: HandlerPipeline | undefined;
    const consumer = this.consumerOf(handler, settings, {
      work: (deliveries) => (pipeline ? pipeline.work(deliveries) : Promise.resolve()),
      setAside: async (delivery) => pipeline?.setAside(delivery),
      putBack: async (delivery) => pipeline?.putBack(delivery),
      // There are as many threads as handlers may run.
      onResize: ({ concurrency }) => pool?.resize(concurrency),
    });
    consumer.abandoned.addEventListener('abort', () => running.abandon(consumer.abandoned.reason), {
      once: true,
    });
    const executor = new Executor({
      handler,
      qos,
      codec,
      running,
      runInThread: pool && ((input, options) => pool.run(input, options)),
      stopping: consumer.stopping,
      random: Math.random,
    });
    const stages = new HandlerPipeline({
      queue,
      qos,
      consumer,
      executor,
      batches: handler.batch && new BatchExecutor({ handler, running }, executor),
      settler: new Settler(queue, copies, new StoreTrouble(consumer.stopping), telemetry),
      replier: new Replier(queue, publishReply, telemetry),
      breaker: new Breaker(qos.breakAfter),
      waiting: waitingBound(qos.maxWaiting, readWaiting, consumer, telemetry),
      telemetry,
    });
    pipeline = stages;
    const stop = async (): Promise<void> => {
      stages.stop();
      await pool?.close();
    };
    return { consumer, running, stop };
  }

  private runningAttempts({ label, queue }: MountedHandler, qos: QueueQos): RunningAttempts {
    const { timeoutMs, timeoutGraceMs: graceMs } = qos;
    const tell =
      (event: 'handler.late' | 'handler.stuck') =>
      ({ messageIds, startedAt }: Attempt): void =>
        this.telemetry.emit(event, {
          queue,
          messageIds,
          runningMs: Math.round(performance.now() - startedAt),
        });
    return new RunningAttempts({ label, timeoutMs, graceMs }, tell('handler.stuck'), tell('handler.late'));
  }

  private consumerOf(
    handler: MountedHandler,
    { qos, bounds }: HandlerSettings,
    { work, ...hooks }: ConsumerHooks,
  ): HandlerConsumer {
    const { queue, batch } = handler;
    const tag = `${hostname()}.${process.pid}.${randomUUID().slice(0, 8)}`;
    return new HandlerConsumer(
      this.connection,
      {
        queue,
        dueQueue: dueQueueOf(queue),
        aloneQueue: aloneQueueOf(queue),
        tag,
        ...bounds,
        ratePerSec: handler.ratePerSec ?? qos.ratePerSec,
        batch: batch && batchingOf(batch),
        ...hooks,
        restore: this.restoreQueues,
      },
      work,
      this.telemetry,
    );
  }
}

/** Long enough for the largest native library. */
const THREADS_TIMEOUT_MS = 30_000;

async function checked(pool: ThreadPool | undefined, { label, queue }: MountedHandler): Promise<void> {
  try {
    const isLoaded = pool ? pool.check().then(() => true) : Promise.resolve(true);
    if (!(await withinDeadline(isLoaded, THREADS_TIMEOUT_MS, false))) {
      throw new Error(`its threads module was not loaded within ${THREADS_TIMEOUT_MS} ms`);
    }
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new HandlerRegistrationError(`${label}: ${problem}`, { queue, cause: error });
  }
}

function waitingBound(
  maxWaiting: number,
  read: () => Promise<number | undefined>,
  consumer: HandlerConsumer,
  telemetry: Telemetry,
): WaitingBound {
  const { queue } = consumer;
  return new WaitingBound({
    maxWaiting,
    read,
    changed: (isFull, waiting) => {
      telemetry.emit(isFull ? 'waiting.full' : 'waiting.drained', { queue, waiting, maxWaiting });
      if (isFull) consumer.holdWork();
      else consumer.releaseWork();
    },
  });
}
