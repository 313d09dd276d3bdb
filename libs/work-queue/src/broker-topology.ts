import type { BrokerConnection } from './broker/broker.port.js';
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

/**
 * A single node that is killed sooner after a quorum queue was created can bring the queue back empty or stuck
 * (measured: 0.5 s was too soon, 1 s was not).
 */
const NEWBORN_QUEUE_MS = 1_500;
/** Readiness is asked often and by many; the broker is asked once in this time. */
const VERIFIED_FOR_MS = 2_000;

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
  private readonly prepared = new Map<string, Promise<PreparedQueue>>();
  private verified: { readonly at: number; readonly problems: Promise<string[]> } | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly connection: BrokerConnection,
    private readonly telemetry: Telemetry,
  ) {
    const { managementUrl, url, limits } = settings;
    const management =
      limits === 'policy' && managementUrl !== undefined
        ? new ManagementApi({
            url: managementUrl,
            username: url.username,
            password: url.password,
            vhost: url.vhost,
          })
        : undefined;
    this.deps = { connection, management, limits };
  }

  /** Looks, then policy, then queue; once per queue and process. */
  ensure(name: string): Promise<PreparedQueue> {
    const existing = this.prepared.get(name);
    if (existing) return existing;
    const preparing = this.prepare(name);
    this.prepared.set(name, preparing);
    return preparing;
  }

  /** Queues that are not limited as configured. A management API that is away proves nothing, so it is no problem. */
  async problems(): Promise<string[]> {
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

  /** After a reconnect: a broker may come back without what we made. Repairs what is missing, changes nothing else. */
  async repair(): Promise<void> {
    for (const name of this.prepared.keys()) {
      try {
        const target = this.targetOf(name);
        if (await this.connection.inspectQueue(name)) await repairPolicy(target, this.deps);
        else await ensureQueue(target, this.deps);
      } catch (error) {
        this.telemetry.emit('queue.check-failed', {
          queue: name,
          reason: error instanceof Error ? error.message : String(error),
        });
      }
    }
  }

  private async verify(): Promise<string[]> {
    const checks = [...this.prepared.keys()].map(async (name) => {
      const verdict = await verifyLimit(this.targetOf(name), this.deps).catch(() => undefined);
      return verdict && !verdict.ok ? [`${name}: ${verdict.reason}`] : [];
    });
    return (await Promise.all(checks)).flat();
  }

  private targetOf(name: string): QueueTarget {
    const { type, overflow, maxLength } = qosOf(name, this.settings);
    return { name, type, overflow, maxLength };
  }
}
