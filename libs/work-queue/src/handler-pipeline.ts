import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type QueueQos, waitStepMs, waitStepsOf } from '@spillway/qos';
import type { Breaker } from './consume/breaker.js';
import type { Delivery } from './consume/delivery.js';
import type { HandlerConsumer } from './consume/handler-consumer.js';
import type { WaitingBound } from './consume/waiting-bound.js';
import type { BatchExecutor } from './execute/batch-executor.js';
import type { Executor } from './execute/executor.js';
import type { Execution, Outcome } from './execute/outcome.js';
import { CrashSuspected } from './execute/crash-suspected.js';
import { describeThrown } from './errors/describe-thrown.js';
import { countIn, HEADERS } from './message/headers.js';
import type { Replier } from './settle/replier.js';
import type { Settler } from './settle/settler.js';
import type { JobEnd, Telemetry } from './telemetry/telemetry.js';

export interface HandlerStages {
  readonly queue: string;
  readonly qos: Pick<QueueQos, 'maxAttempts' | 'backoff'>;
  readonly consumer: Pick<HandlerConsumer, 'abandoned' | 'stopping' | 'throttle' | 'hold' | 'release'>;
  readonly executor: Executor;
  /** Undefined: the handler takes one message at a time. */
  readonly batches: BatchExecutor | undefined;
  readonly settler: Settler;
  readonly replier: Replier;
  readonly breaker: Breaker;
  readonly waiting: WaitingBound;
  readonly telemetry: Telemetry;
}

/** A process that dies by its own fault may take a few innocents along: they are not written off that soon. */
const MIN_STARTS = 3;
/** The ack of the original has to be safe before the copy may kill us: two of them would be counted apart. */
const MIN_ASIDE_MS = 500;
const DEFECT_PAUSE_MS = 1_000;
const TRIAL = 'the breaker waits for its next trial';

/** What happens to what one handler is given: execute, judge, settle, reply, tell. Never rejects. */
export class HandlerPipeline {
  private readonly shortestWaitMs: number;
  private readonly maxStarts: number;
  private readonly asideMs: number;
  private trialTimer: NodeJS.Timeout | undefined;
  /** How often the breaker has opened. */
  private openings = 0;

  constructor(private readonly stages: HandlerStages) {
    const { qos } = stages;
    const stepsMs = waitStepsOf(qos.backoff);
    this.shortestWaitMs = Math.min(...stepsMs);
    this.maxStarts = Math.max(MIN_STARTS, qos.maxAttempts);
    this.asideMs = stepsMs.find((stepMs) => stepMs >= MIN_ASIDE_MS) ?? waitStepMs(MIN_ASIDE_MS);
  }

  async work(deliveries: readonly Delivery[]): Promise<void> {
    const start = this.startNow();
    const { batches } = this.stages;
    try {
      if (batches) await this.workOnMany(deliveries, start, batches);
      // Then they come one by one.
      else for (const delivery of deliveries) await this.workOnOne(delivery, start);
    } catch (error) {
      await this.defect(deliveries, error);
    }
  }

  /**
   * One that was set aside and has not begun goes back with the starts it has: given back as others are, it would come
   * with one more, and a few rolling restarts would write it off.
   */
  async putBack(delivery: Delivery): Promise<void> {
    const { message, messageId } = itemOf(delivery);
    const starts = countIn(message.headers, HEADERS.starts);
    const outcome = { kind: 'set-aside', starts, delayMs: this.asideMs } as const;
    await this.stages.settler.settle(delivery, messageId, outcome);
  }

  /** A suspect is not begun: first it gets one more start on record, so that it cannot kill one process after another. */
  async setAside(delivery: Delivery): Promise<void> {
    const { messageId } = itemOf(delivery);
    const start = this.startNow();
    try {
      await this.end(delivery, messageId, this.suspect(delivery), start);
    } catch (error) {
      await this.defect([delivery], error);
    }
  }

  private startNow(): Start {
    return { startedAt: Date.now(), openings: this.openings, hasSucceeded: false };
  }

  /** Ours, not the handler's. It must not cost a prefetch slot for ever, nor go round in a hot loop. */
  private async defect(deliveries: readonly Delivery[], error: unknown): Promise<void> {
    const { queue, telemetry, consumer } = this.stages;
    await delay(DEFECT_PAUSE_MS, undefined, { signal: consumer.stopping }).catch(() => undefined);
    for (const delivery of deliveries) {
      const { messageId } = itemOf(delivery);
      const reason = `given back over a defect of the framework: ${describeThrown(error)}`;
      if (delivery.giveBack()) telemetry.emit('settle.failed', { queue, messageId, reason });
    }
  }

  stop(): void {
    clearTimeout(this.trialTimer);
    this.stages.waiting.stop();
  }

  private async workOnOne(delivery: Delivery, start: Start): Promise<void> {
    const { executor, consumer } = this.stages;
    const item = itemOf(delivery);
    const execution = await executor.execute(item, consumer.abandoned);
    await this.end(delivery, item.messageId, execution, start);
  }

  private async workOnMany(
    deliveries: readonly Delivery[],
    start: Start,
    batches: BatchExecutor,
  ): Promise<void> {
    const pairs = deliveries.map((delivery) => ({ delivery, item: itemOf(delivery) }));
    const items = pairs.map(({ item }) => item);
    const executions = await batches.execute(items, this.stages.consumer.abandoned);
    const hasSucceeded = executions.some(({ outcome }) => outcome.kind === 'succeeded');
    const ends = pairs.map(async ({ delivery, item }, index) => {
      const execution = executions[index];
      if (!execution) return this.defect([delivery], new Error('the batch has no outcome for it'));
      return this.end(delivery, item.messageId, execution, { ...start, hasSucceeded });
    });
    await Promise.all(ends);
  }

  private suspect({ message }: Delivery): Execution {
    const attempts = countIn(message.headers, HEADERS.attempts);
    const starts = countIn(message.headers, HEADERS.starts) + 1;
    const outcome: Outcome =
      starts >= this.maxStarts
        ? { kind: 'dead', reason: 'crashed', attempts, error: new CrashSuspected(starts) }
        : { kind: 'set-aside', attempts, starts, delayMs: this.asideMs };
    return { outcome, serviceTimeMs: undefined };
  }

  /** A promise only where settling has to wait. */
  private end(
    delivery: Delivery,
    messageId: string,
    execution: Execution,
    start: Start,
  ): void | Promise<void> {
    const { serviceTimeMs } = execution;
    const outcome = this.judge(execution.outcome, messageId, start);
    const settling = this.stages.settler.settle(delivery, messageId, outcome);
    const settled = (end: JobEnd): void =>
      this.settled(delivery, messageId, { outcome, end, serviceTimeMs, startedAt: start.startedAt });
    return typeof settling === 'string' ? settled(settling) : settling.then(settled);
  }

  private settled(delivery: Delivery, messageId: string, ended: Ended): void {
    const { replier, waiting } = this.stages;
    const { message } = delivery;
    const { outcome, end } = ended;
    if (comesAgain(end)) waiting.added();
    if (message.replyTo !== undefined) replier.reply({ message, messageId, outcome, end });
    this.tell(delivery, messageId, ended);
  }

  /** While the breaker is open a failure is not the job's: it comes again later and no attempt is counted. */
  private judge(outcome: Outcome, messageId: string, { openings, hasSucceeded }: Start): Outcome {
    const { breaker } = this.stages;
    if (outcome.kind === 'succeeded') {
      this.succeeded();
      return outcome;
    }
    const isFailure = outcome.kind === 'retry' || (outcome.kind === 'dead' && outcome.reason === 'failed');
    // Where others of the same batch succeeded, the downstream is there, and it is this item's own failure.
    if (!isFailure || hasSucceeded) return outcome;
    const wasOpen = breaker.isOpen;
    // What was begun before it opened says nothing about how things are now, nor once it has closed again.
    const isOfNow = openings === this.openings;
    if (isOfNow) breaker.failed(messageId);
    if (!breaker.isOpen) return outcome;
    const { error } = outcome;
    if (!wasOpen) this.opened(error);
    if (isOfNow) this.pauseTrials(breaker.trialDelayMs);
    return { kind: 'defer', attempts: outcome.attempts - 1, delayMs: this.shortestWaitMs, error };
  }

  private succeeded(): void {
    const { breaker, queue, telemetry, consumer } = this.stages;
    const wasOpen = breaker.isOpen;
    breaker.succeeded();
    if (!wasOpen) return;
    telemetry.emit('breaker.closed', { queue });
    clearTimeout(this.trialTimer);
    consumer.throttle(false);
    consumer.release(TRIAL);
  }

  private opened(error: unknown): void {
    const { queue, telemetry } = this.stages;
    this.openings++;
    telemetry.emit('breaker.opened', { queue, error });
  }

  private pauseTrials(delayMs: number): void {
    const { consumer } = this.stages;
    consumer.throttle(true);
    consumer.hold(TRIAL);
    clearTimeout(this.trialTimer);
    this.trialTimer = setTimeout(() => consumer.release(TRIAL), delayMs);
  }

  private tell(
    { message }: Delivery,
    messageId: string,
    { outcome, end, startedAt, serviceTimeMs }: Ended,
  ): void {
    const { queue, telemetry } = this.stages;
    telemetry.emit('job.settled', {
      queue,
      messageId,
      end,
      attempt: outcome.attempts,
      serviceTimeMs,
      retryInMs: comesAgain(end) && 'delayMs' in outcome ? outcome.delayMs : undefined,
      waitTimeMs: waitTimeOf(message.headers[HEADERS.publishedAt], startedAt),
      error: 'error' in outcome ? outcome.error : undefined,
    });
  }
}

interface Start {
  /** `Date.now()` */
  readonly startedAt: number;
  /** How often the breaker had opened by then. */
  readonly openings: number;
  /** Another item of the same batch has. */
  readonly hasSucceeded: boolean;
}

interface Ended {
  readonly outcome: Outcome;
  readonly end: JobEnd;
  readonly startedAt: number;
  readonly serviceTimeMs: number | undefined;
}

/** Its copy is stored and waits for the next attempt. */
function comesAgain(end: JobEnd): boolean {
  return end === 'retried' || end === 'deferred';
}

/** Publishers that are not ours may leave the id out; execution still needs one to talk about. */
function itemOf({ message }: Delivery): { message: Delivery['message']; messageId: string } {
  return { message, messageId: message.messageId ?? randomUUID() };
}

/** Two machines' clocks may disagree; a wait is never negative. */
function waitTimeOf(publishedAt: unknown, startedAt: number): number | undefined {
  return typeof publishedAt === 'number' ? Math.max(0, startedAt - publishedAt) : undefined;
}
