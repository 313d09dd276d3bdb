import { NEWBORN_QUEUE_MS } from './newborn-queue.js';
import { deadLetterQueueOf } from './queue-target.js';
import { type PreparedRetries, RetryLadder } from './retry-ladder.js';
import { ensureQueue, type QueueTarget, repairPolicy, type TopologyDeps, verifyLimit } from './topology.js';
import type { LimitCheck } from './topology-result.js';

export interface PreparedQueue {
  readonly wasCreated: boolean;
  /** The limit in force: an operator's policy may cap ours. */
  readonly maxLength: number;
  /** How long to wait before publishing to it. */
  readonly settleMs: number;
}

/** One work queue of this process with all that belongs to it: dead-letter queue, limit, retry queues. */
export class KeptQueue {
  private prepared: Promise<PreparedQueue> | undefined;
  private readonly ladder: RetryLadder;

  constructor(
    private readonly target: QueueTarget,
    private readonly deps: TopologyDeps,
  ) {
    this.ladder = new RetryLadder(target.name, deps);
  }

  /** Looks, then policy, then queue; once. @throws as `ensureQueue` */
  ensure(): Promise<PreparedQueue> {
    return (this.prepared ??= this.prepare());
  }

  /** The queue, and then those for its retries; each step once. @throws as `RetryLadder.prepare` */
  async ensureRetries(stepsMs: readonly number[]): Promise<PreparedRetries> {
    await this.ensure();
    return this.ladder.prepare(stepsMs);
  }

  /** Makes what is missing, changes nothing else. @throws as `ensureQueue` */
  async repair(): Promise<void> {
    const queues = [this.target.name, deadLetterQueueOf(this.target.name)];
    const readings = await Promise.all(queues.map((queue) => this.deps.connection.inspectQueue(queue)));
    if (readings.includes(undefined)) await ensureQueue(this.target, this.deps);
    else await repairPolicy(this.target, this.deps);
  }

  /** As `repair`, for the retry queues. */
  async repairRetries(): Promise<void> {
    await this.ladder.repair();
  }

  verify(): Promise<LimitCheck> {
    return verifyLimit(this.target, this.deps);
  }

  problemOfRetries(): Promise<string | undefined> {
    return this.ladder.problem();
  }

  waitingMessages(): Promise<number | undefined> {
    return this.ladder.waitingMessages();
  }

  private async prepare(): Promise<PreparedQueue> {
    const { name, type, maxLength } = this.target;
    const lookedAt = Date.now();
    const { wasCreated, inForce } = await ensureQueue(this.target, this.deps);
    const reading = await this.deps.connection.inspectQueue(name);
    // An empty queue may have been created a moment ago by another process of ours; one with messages was not.
    const mayBeNewborn = type === 'quorum' && (wasCreated || reading?.readyMessages === 0);
    const settleMs = mayBeNewborn ? Math.max(0, lookedAt + NEWBORN_QUEUE_MS - Date.now()) : 0;
    return { wasCreated, maxLength: inForce.maxLength ?? maxLength, settleMs };
  }
}
