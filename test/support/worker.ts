import { resolveSettings, type WorkQueueOptions } from '../../libs/work-queue/src/config/settings.js';
import type { WorkConsumer } from '../../libs/work-queue/src/consume/handler-consumer.js';
import { BatchContext } from '../../libs/work-queue/src/execute/batch-context.js';
import type { WorkContext } from '../../libs/work-queue/src/execute/work-context.js';
import type { BatchOptions, MountedHandler } from '../../libs/work-queue/src/execute/work-handler.js';
import { type JobEnd, type JobSettled, Telemetry } from '../../libs/work-queue/src/telemetry/telemetry.js';
import { WorkQueueRuntime } from '../../libs/work-queue/src/work-queue.runtime.js';
import type { BrokerAddress } from './system.js';
import { Runs } from './worker-runs.js';

/** What the handler of a test does for one message; throws as handlers do. */
export type Work = (job: { readonly id: string }, context: WorkContext) => Promise<unknown>;

/** What a test's batch handler does; what it returns or throws is up to it. */
type BatchWork = (jobs: ReadonlyArray<{ readonly id: string }>) => Promise<unknown>;

type HandlerOverrides = Partial<Pick<MountedHandler, 'prefetch' | 'concurrency' | 'ratePerSec'>>;

interface WorkerOptions {
  /** QoS by queue, in the words of the QoS file. The worker publishes to all of them. */
  readonly queues: Readonly<Record<string, object>>;
  /** The queue it consumes; one of `queues`. @default orders */
  readonly queue?: string;
  readonly handler?: HandlerOverrides;
  readonly settings?: WorkQueueOptions;
}

/** A worker in this process, without NestJS, that writes down what its handler did. Close it. */
export class Worker {
  readonly runs = new Runs();
  /** How each delivery ended, in order. */
  readonly settled: JobSettled[] = [];

  private constructor(
    readonly runtime: WorkQueueRuntime,
    readonly queue: string,
  ) {
    runtime.telemetry.on('job.settled', (end) => {
      if (end.queue === queue) this.settled.push(end);
    });
  }

  /** Connects, makes its queues, and consumes. */
  static async open(address: BrokerAddress, options: WorkerOptions, work: Work): Promise<Worker> {
    const worker = await Worker.connect(address, options);
    await worker.consume(options.handler ?? {}, work);
    return worker;
  }

  /** As `open`, and consumes nothing until told to. */
  static async connect(
    { url, managementUrl }: BrokerAddress,
    { queues, queue = 'orders', settings = {} }: WorkerOptions,
  ): Promise<Worker> {
    const wanted = { url, managementUrl, queues: Object.keys(queues), config: { queues }, ...settings };
    const runtime = new WorkQueueRuntime(await resolveSettings(wanted, {}), new Telemetry());
    await runtime.start();
    return new Worker(runtime, queue);
  }

  get consumer(): WorkConsumer {
    return this.runtime.consumer(this.queue);
  }

  /** Another handler of the same process, for another of its queues; it is closed with this one. */
  async beside(queue: string, work: Work): Promise<Worker> {
    const other = new Worker(this.runtime, queue);
    await other.consume({}, work);
    return other;
  }

  async consume(handler: HandlerOverrides, work: Work): Promise<void> {
    await this.runtime.consume({
      ...this.mounted(handler),
      invoke: (payload, context) => {
        if (context instanceof BatchContext) throw new Error('expected one message');
        return this.ran(payload, context, work);
      },
    });
  }

  /** Each item of a batch is a run of its own; all of them start and end together. */
  async consumeBatches(handler: HandlerOverrides, batch: BatchOptions, work: BatchWork): Promise<void> {
    await this.runtime.consume({
      ...this.mounted(handler),
      batch,
      invoke: (_payload, context) => {
        if (!(context instanceof BatchContext)) throw new Error('expected a batch');
        const jobs = context.items.map(({ messageId }) => ({ id: messageId }));
        return this.ranAll(context.items, () => work(jobs));
      },
    });
  }

  /** Deliveries that ended so, by id. */
  idsOf(end: JobEnd): string[] {
    return this.settled.filter((each) => each.end === end).map(({ messageId }) => messageId);
  }

  close(): Promise<void> {
    return this.runtime.close();
  }

  private mounted({ prefetch, concurrency, ratePerSec }: HandlerOverrides): Omit<MountedHandler, 'invoke'> {
    return {
      queue: this.queue,
      label: 'Test.work',
      payloadType: undefined,
      prefetch,
      concurrency,
      ratePerSec,
    };
  }

  private ran(payload: unknown, context: WorkContext, work: Work): Promise<unknown> {
    const { messageId: id, attempt, isRedelivered } = context;
    return this.runs.during({ id, attempt, isRedelivered }, () => work({ id, ...Object(payload) }, context));
  }

  private ranAll(items: readonly WorkContext[], work: () => Promise<unknown>): Promise<unknown> {
    const result = work();
    const runs = items.map(({ messageId: id, attempt, isRedelivered }) =>
      this.runs.during({ id, attempt, isRedelivered }, () => result),
    );
    return Promise.all(runs).then(() => result);
  }
}
