import type { BrokerConnection } from './broker/broker.port.js';
import { deadLetterQueueOf } from './broker/queue-target.js';
import { ManagementApi } from './broker/management-api.js';
import {
  ensureQueue,
  type QueueTarget,
  repairPolicy,
  type TopologyDeps,
  verifyLimit,
} from './broker/topology.js';
import type { Settings } from './config/settings.js';
import { qosOf } from './publish-pipeline.js';
import type { Telemetry } from './telemetry/telemetry.js';
import { withinDeadline } from './timing/within-deadline.js';

/**
 * A single node that is killed sooner after a quorum queue was created can bring the queue back empty or stuck
 * (measured: 0.5 s was too soon, 1 s was not).
 */
const NEWBORN_QUEUE_MS = 1_500;
/** Readiness is asked often and by many; the broker is asked once in this time. */
const VERIFIED_FOR_MS = 2_000;
/** Whoever asks for readiness gives up soon; a broker that does not answer is not ready. */
const VERIFY_TIMEOUT_MS = 2_000;
const UNVERIFIED = `the broker did not answer within ${VERIFY_TIMEOUT_MS} ms`;

export interface PreparedQueue {
  readonly wasCreated: boolean;
  /** The limit in force: an operator's policy may cap ours. */
  readonly maxLength: number;
  /** How long to wait before publishing to it. */
  readonly settleMs: number;
}

/** Keeps the queues of this process as configured: at start, after every reconnect, and when asked for readiness. */
export class BrokerTopology {
  private readonly deps: TopologyDeps;
  private readonly management: ManagementApi | undefined;
  private readonly prepared = new Map<string, Promise<PreparedQueue>>();
  private repairing: Promise<void> | undefined;
  private verified: { readonly at: number; readonly problems: Promise<string[]> } | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly connection: BrokerConnection,
    private readonly telemetry: Telemetry,
    private readonly limitFound: (queue: string, maxLength: number) => void,
  ) {
    const { managementUrl, url, limits } = settings;
    this.management =
      limits === 'policy' && managementUrl !== undefined
        ? new ManagementApi({
            url: managementUrl,
            username: url.username,
            password: url.password,
            vhost: url.vhost,
          })
        : undefined;
    this.deps = { connection, management: this.management, limits };
  }

  /** Looks, then policy, then queue; once per queue and process. */
  ensure(name: string): Promise<PreparedQueue> {
    const existing = this.prepared.get(name);
    if (existing) return existing;
    const preparing = this.prepare(name);
    this.prepared.set(name, preparing);
    return preparing;
  }

  /**
   * What is not as configured, and alarms. A management API that refuses proves nothing, so that is no problem; one
   * that does not answer in time is.
   */
  async problems(): Promise<string[]> {
    return withinDeadline(this.recheck(), VERIFY_TIMEOUT_MS, [UNVERIFIED]);
  }

  /** Looks again unless that was done a moment ago; cheap to call for every refusal. Never rejects. */
  recheck(): Promise<string[]> {
    if (!this.verified || Date.now() - this.verified.at > VERIFIED_FOR_MS) {
      this.verified = { at: Date.now(), problems: this.verify() };
    }
    return this.verified.problems;
  }

  private async prepare(name: string): Promise<PreparedQueue> {
    const target = this.targetOf(name);
    const lookedAt = Date.now();
    const { wasCreated, inForce } = await ensureQueue(target, this.deps);
    const reading = await this.connection.inspectQueue(name);
    // An empty queue may have been created a moment ago by another process of ours; one with messages was not.
    const mayBeNewborn = target.type === 'quorum' && (wasCreated || reading?.readyMessages === 0);
    const settleMs = mayBeNewborn ? Math.max(0, lookedAt + NEWBORN_QUEUE_MS - Date.now()) : 0;
    return { wasCreated, maxLength: inForce.maxLength ?? target.maxLength, settleMs };
  }

  /**
   * After a reconnect, or when a dead letter found no queue: a broker may come back without what we made. Makes what
   * is missing, changes nothing else.
   */
  repair(): Promise<void> {
    this.repairing ??= this.repairAll().finally(() => (this.repairing = undefined));
    return this.repairing;
  }

  private async repairAll(): Promise<void> {
    for (const name of this.prepared.keys()) {
      await this.repairOne(this.targetOf(name)).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.telemetry.emit('queue.check-failed', { queue: name, reason });
      });
    }
  }

  private async repairOne(target: QueueTarget): Promise<void> {
    const queues = [target.name, deadLetterQueueOf(target.name)];
    const readings = await Promise.all(queues.map((queue) => this.connection.inspectQueue(queue)));
    if (readings.includes(undefined)) await ensureQueue(target, this.deps);
    else await repairPolicy(target, this.deps);
  }

  private async verify(): Promise<string[]> {
    const checks = [...this.prepared.keys()].map((name) => this.verifyOne(name).catch(() => []));
    return (await Promise.all([this.alarms(), ...checks])).flat();
  }

  private async verifyOne(name: string): Promise<string[]> {
    const verdict = await verifyLimit(this.targetOf(name), this.deps);
    const { maxLength = this.withoutLimit } = verdict.inForce;
    if (maxLength !== undefined) this.limitFound(name, maxLength);
    return verdict.ok ? [] : [`${name}: ${verdict.reason}`];
  }

  /** A policy that is gone leaves a queue without any limit; one in the arguments is there for its life. */
  private get withoutLimit(): number | undefined {
    return this.settings.limits === 'policy' ? Number.MAX_SAFE_INTEGER : undefined;
  }

  private async alarms(): Promise<string[]> {
    const hasAlarm = await this.management?.hasAlarm().catch(() => false);
    return hasAlarm ? ['the broker is in a memory or disk alarm'] : [];
  }

  private targetOf(name: string): QueueTarget {
    const { type, overflow, maxLength } = qosOf(name, this.settings);
    return { name, type, overflow, maxLength };
  }
}
