import { BrokerUnavailableError } from '../../libs/work-queue/src/errors/broker-unavailable.error.js';
import { BatchFailure } from '../../libs/work-queue/src/errors/batch-failure.error.js';
import { DropWork } from '../../libs/work-queue/src/errors/drop-work.error.js';
import { InvalidMessageError } from '../../libs/work-queue/src/errors/invalid-message.error.js';
import { PermanentFailure } from '../../libs/work-queue/src/errors/permanent-failure.error.js';
import { RetryLater } from '../../libs/work-queue/src/errors/retry-later.error.js';
import type { BatchContext } from '../../libs/work-queue/src/execute/batch-context.js';
import type { WorkContext } from '../../libs/work-queue/src/execute/work-context.js';
import { HEADERS } from '../../libs/work-queue/src/message/headers.js';
import type { CopyStore } from '../../libs/work-queue/src/settle/settler.js';
import type { WorkCopy } from '../../libs/work-queue/src/settle/work-copy.js';
import { gate } from './fake-broker.js';
import type { Handed, StrictBroker } from './strict-broker.js';

/** What a job makes its handler do; in the body of its message. */
export interface Job {
  readonly kind: JobKind;
  readonly ms: number;
}

export type JobKind =
  | 'succeed'
  | 'throw'
  | 'permanent'
  | 'retry-later'
  | 'drop'
  /** Ends when its signal aborts. */
  | 'until-aborted'
  /** Takes no notice of its signal. */
  | 'hang';

/** What becomes of one publish of a copy, and after how long. */
export interface CopyAnswer {
  readonly end: 'stored' | 'unavailable' | 'uncarriable';
  readonly ms: number;
}

const HANG_MS = 5_000;
/** Acks are safe 250 ms after they were written; timers and broker go by steps of up to 50 ms. */
const ACKS_SAFE_MS = 200;
const STORED: CopyAnswer = { end: 'stored', ms: 0 };

/** The handler and the store of its copies, both on the watch for what must never happen. */
export class StrictWork {
  /** Of the copies, one after the other and then again; none: all are stored at once. */
  answers: readonly CopyAnswer[] = [];
  isDraining = false;
  private concurrency: number;
  /** What may run at most now: after a resize, what runs beyond the new bound finishes. */
  private allowed: number;
  private readonly running = new Set<readonly Handed[]>();
  private copies = 0;

  constructor(
    private readonly broker: StrictBroker,
    concurrency: number,
  ) {
    this.concurrency = concurrency;
    this.allowed = concurrency;
    broker.oneAtATime = ALONE;
  }

  resized(concurrency: number): void {
    this.concurrency = concurrency;
    this.allowed = Math.max(this.allowed, concurrency);
  }

  /** To be called when nothing is between being taken and being run. */
  look(): void {
    if (this.running.size <= this.concurrency) this.allowed = this.concurrency;
  }

  readonly invoke = async (_payload: unknown, context: WorkContext | BatchContext): Promise<void> => {
    const contexts = 'items' in context ? context.items : [context];
    const call = contexts.map(({ body }) => this.broker.deliveryOf(body));
    this.begin(call);
    try {
      await this.handle(call, context.signal);
    } finally {
      this.running.delete(call);
      for (const handed of call) handed.isRunning = false;
    }
  };

  readonly store: CopyStore = {
    // How long it waits is nobody's business here.
    toWait: (copy) => (startsIn(copy) > 0 ? this.setAside(copy, DUE) : this.keep(copy)),
    toDead: (copy) => this.keep(copy),
    toAlone: (copy) => this.setAside(copy, ALONE),
  };

  private async setAside(copy: WorkCopy, queue: string): Promise<void> {
    const handed = this.broker.deliveryOf(copy.body);
    const { stored } = handed;
    // What was set aside before and has not begun goes back with the starts it has.
    const isSetAside = runsAlone(handed) || startsIn(stored) > 0;
    const isPutBack = isSetAside && handed.starts === 0 && startsIn(copy) === startsIn(stored);
    if ((queue === ALONE) !== startsIn(copy) >= 2)
      this.broker.mustNot('was set aside in the wrong queue', handed);
    if (!isPutBack && startsIn(copy) !== startsIn(stored) + 1) {
      this.broker.mustNot('was set aside with another number of starts than one more', handed);
    }
    // What was out here when its channel was lost may be why.
    const { broker } = this;
    const wasLost = broker.handed.some(
      (other) => other.channel.endedAtMs <= broker.nowMs && other.stored.messageId === stored.messageId,
    );
    if (!isPutBack && !wasLost && stored.messageId !== undefined && !this.wasElsewhere(stored.messageId)) {
      this.broker.mustNot(`${stored.messageId} was set aside although nobody else ever had it`);
    }
    await this.keep(copy);
    const { body } = stored;
    const { messageId, headers } = copy;
    this.broker.publish({
      queue,
      messageId,
      body,
      headers,
      wasElsewhere: false,
      isRedelivered: false,
    });
  }

  private begin(call: readonly Handed[]): void {
    const { broker } = this;
    if (this.isDraining) broker.mustNot('was begun after the drain', call[0]);
    for (const handed of call) {
      if (++handed.starts > 1) broker.mustNot('was begun twice', handed);
      if (this.mayKill(handed)) broker.mustNot('was begun although it may kill its process', handed);
      if (handed.channel.endedAtMs < broker.nowMs) broker.mustNot('was begun after its channel', handed);
      handed.isRunning = true;
    }
    if (call.some(runsAlone) && broker.nowMs - broker.doneAtMs < ACKS_SAFE_MS) {
      broker.mustNot('was begun alone while what was done before may come again', call[0]);
    }
    const isAlone = [...this.running, call].some((each) => each.some(runsAlone));
    this.running.add(call);
    if (this.running.size > this.allowed) broker.mustNot(`was one of ${this.running.size} running`, call[0]);
    if (isAlone && (this.running.size > 1 || call.length > 1)) broker.mustNot('was not alone', call[0]);
  }

  /**
   * It was out with somebody else, and nothing here says that it is harmless. Its id does when it came once as what a
   * cancel sends back; or when it has a double, since its copy was stored and the ack of the original was lost.
   */
  private mayKill({ stored: { messageId, wasElsewhere }, mayBeEcho }: Handed): boolean {
    if (!wasElsewhere || mayBeEcho) return false;
    const isKnown = ({ stored, ...other }: Handed): boolean =>
      stored.messageId === messageId && (!stored.wasElsewhere || other.mayBeEcho);
    return messageId === undefined || !this.broker.handed.some(isKnown);
  }

  /** The message of this id, or the one that it is a copy of. */
  private wasElsewhere(messageId: string): boolean {
    return this.broker.handed.some(({ stored }) => stored.wasElsewhere && stored.messageId === messageId);
  }

  private async handle(call: readonly Handed[], signal: AbortSignal): Promise<void> {
    const jobs = call.map(({ stored }) => jobIn(stored.body));
    const ended = gate();
    if (jobs.some(({ kind }) => kind === 'until-aborted')) {
      signal.addEventListener('abort', () => ended.fail(signal.reason), { once: true });
    } else {
      this.broker.in(Math.max(...jobs.map(durationOf)), () => ended.open());
    }
    await ended.promise;
    const failures = new Map<number, unknown>();
    for (const [index, job] of jobs.entries()) {
      const error = errorOf(job);
      if (error !== undefined) failures.set(index, error);
    }
    for (const [index, handed] of call.entries()) {
      const error = failures.get(index);
      handed.isDone = error === undefined || error instanceof DropWork;
    }
    if (failures.size === 0) return;
    throw call.length === 1 ? failures.get(0) : new BatchFailure(failures);
  }

  private async keep(copy: WorkCopy): Promise<void> {
    const handed = this.broker.deliveryOf(copy.body);
    if (handed.isRunning) this.broker.mustNot('was copied while its handler runs', handed);
    const place = handed.copies.push('asked') - 1;
    const { end, ms } = this.answers[this.copies++ % this.answers.length] ?? STORED;
    await new Promise<void>((resolve) => this.broker.in(ms, resolve));
    handed.copies[place] = end === 'stored' ? 'stored' : 'failed';
    if (end === 'uncarriable')
      throw new InvalidMessageError('a header of an unknown type', {
        queue: QUEUE,
        messageId: copy.messageId,
      });
    if (end === 'unavailable')
      throw new BrokerUnavailableError('the broker is away', { queue: QUEUE, messageId: copy.messageId });
  }
}

export const QUEUE = 'orders';
export const DUE = 'orders.due';
export const ALONE = 'orders.alone';

function jobIn(body: string): Job {
  const job: Job = JSON.parse(body);
  return job;
}

function runsAlone({ stored }: Handed): boolean {
  return stored.queue === ALONE;
}

function startsIn({ headers }: Pick<WorkCopy, 'headers'>): number {
  return Number(headers[HEADERS.starts] ?? 0);
}

function durationOf({ kind, ms }: Job): number {
  return kind === 'hang' ? HANG_MS : ms;
}

function errorOf({ kind, ms }: Job): unknown {
  switch (kind) {
    case 'throw':
      return new Error('no such customer');
    case 'permanent':
      return new PermanentFailure('never');
    case 'retry-later':
      return new RetryLater(ms + 1);
    case 'drop':
      return new DropWork('not needed');
    case 'succeed':
    case 'until-aborted':
    case 'hang':
      return undefined;
  }
}
