import type { BrokerConnection } from './broker/broker.port.js';
import { coalesced } from './timing/coalesced.js';
import { KeptQueue, type PreparedQueue } from './broker/kept-queue.js';
import { ManagementApi } from './broker/management-api.js';
import type { PreparedRetries } from './broker/retry-ladder.js';
import type { TopologyDeps } from './broker/topology.js';
import type { Settings } from './config/settings.js';
import { qosOf } from './publish-pipeline.js';
import type { Telemetry } from './telemetry/telemetry.js';
import { withinDeadline } from './timing/within-deadline.js';

/** Readiness is asked often and by many; the broker is asked once in this time. */
const VERIFIED_FOR_MS = 2_000;
/** Whoever asks for readiness gives up soon; a broker that does not answer is not ready. */
const VERIFY_TIMEOUT_MS = 2_000;
const UNVERIFIED = `the broker did not answer within ${VERIFY_TIMEOUT_MS} ms`;

/** Keeps the queues of this process as configured: at start, after every reconnect, and when asked for readiness. */
export class BrokerTopology {
  private readonly deps: TopologyDeps;
  private readonly management: ManagementApi | undefined;
  private readonly queues = new Map<string, KeptQueue>();
  private verified: { readonly at: number; readonly problems: Promise<string[]> } | undefined;

  constructor(
    private readonly settings: Settings,
    connection: BrokerConnection,
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
  async ensure(name: string): Promise<PreparedQueue> {
    return this.kept(name).ensure();
  }

  /**
   * What a consumer of the queue needs: the queue, its due queue, and a wait queue for each step (milliseconds,
   * whole numbers); once per queue and process.
   * @throws TopologyError when something on the broker contradicts them; what did exist was left as it is
   */
  async ensureForWork(name: string, stepsMs: readonly number[]): Promise<PreparedRetries> {
    return this.kept(name).ensureRetries(stepsMs);
  }

  /** A wait queue beside those the queue was prepared with; remembered, and after a failure the next call tries again. */
  async ensureWaitStep(name: string, stepMs: number): Promise<PreparedRetries> {
    return this.kept(name).ensureRetries([stepMs]);
  }

  /**
   * Ready messages of the queue that wait for their next attempt or are due for it. Undefined when that cannot be
   * read, and before `ensureForWork`. One passive declare for each wait queue.
   */
  async waitingWork(name: string): Promise<number | undefined> {
    return this.queues.get(name)?.waitingMessages();
  }

  /**
   * After a reconnect, when a dead letter found no queue, when a consumer lost its queue: a broker may come back
   * without what we made. Makes what is missing, changes nothing else. Never twice at a time; asked for while it
   * runs, it runs once more. Never rejects.
   */
  readonly repair = coalesced(() => this.repairAll());

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

  private async repairAll(): Promise<void> {
    for (const [name, queue] of this.queues) {
      const failed = (error: unknown): void => {
        const reason = error instanceof Error ? error.message : String(error);
        this.telemetry.emit('queue.check-failed', { queue: name, reason });
      };
      await queue.repair().catch(failed);
      await queue.repairRetries().catch(failed);
    }
  }

  private async verify(): Promise<string[]> {
    const checks = [...this.queues].flatMap(([name, queue]) =>
      [this.limitProblem(name, queue), queue.problemOfRetries()].map(async (problem) => {
        const reason = await problem.catch(() => undefined);
        return reason === undefined ? [] : [`${name}: ${reason}`];
      }),
    );
    return (await Promise.all([this.alarms(), ...checks])).flat();
  }

  private async limitProblem(name: string, queue: KeptQueue): Promise<string | undefined> {
    const verdict = await queue.verify();
    const { maxLength = this.withoutLimit } = verdict.inForce;
    if (maxLength !== undefined) this.limitFound(name, maxLength);
    return verdict.ok ? undefined : verdict.reason;
  }

  /** A policy that is gone leaves a queue without any limit; one in the arguments is there for its life. */
  private get withoutLimit(): number | undefined {
    return this.settings.limits === 'policy' ? Number.MAX_SAFE_INTEGER : undefined;
  }

  private async alarms(): Promise<string[]> {
    const hasAlarm = await this.management?.hasAlarm().catch(() => false);
    return hasAlarm ? ['the broker is in a memory or disk alarm'] : [];
  }

  /** @throws ConfigurationError when the QoS file does not know it */
  private kept(name: string): KeptQueue {
    const known = this.queues.get(name);
    if (known) return known;
    const { type, overflow, maxLength } = qosOf(name, this.settings);
    const queue = new KeptQueue({ name, type, overflow, maxLength }, this.deps);
    this.queues.set(name, queue);
    return queue;
  }
}
