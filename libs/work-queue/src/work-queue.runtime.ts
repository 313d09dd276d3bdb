import { setTimeout as delay } from 'node:timers/promises';
import { explain } from '@spillway/qos';
import { BrokerTopology } from './broker-topology.js';
import { ReconnectingConnection } from './broker/reconnecting-connection.js';
import type { Settings } from './config/settings.js';
import { ConsumePipeline } from './consume-pipeline.js';
import type { MountedHandler } from './execute/work-handler.js';
import { codecOf, PublishPipeline, qosOf } from './publish-pipeline.js';
import { ReplyPublisher } from './reply-publisher.js';
import { Telemetry } from './telemetry/telemetry.js';
import type { WorkQueue } from './work-queue.js';

type Purpose = 'publish' | 'consume' | 'reply';

/** What is wrong now, in words; empty when all is well. */
export interface RuntimeHealth {
  readonly isReady: boolean;
  readonly problems: readonly string[];
}

/**
 * One process's part in its queues, from connect to close, without NestJS.
 * Order at start: look, policy, queue, consumers, and the publishers' doors last. Order at stop: consumers first,
 * publishers when nobody can publish any more, connections last.
 */
export class WorkQueueRuntime {
  private readonly publishConnection: ReconnectingConnection;
  private readonly consumeConnection: ReconnectingConnection;
  private readonly replies: ReplyPublisher;
  private readonly topology: BrokerTopology;
  private readonly publishing: PublishPipeline;
  private readonly consuming: ConsumePipeline;
  private readonly stopRepairing: ReadonlyArray<() => void>;
  private isStopping = false;

  constructor(
    private readonly settings: Settings,
    readonly telemetry: Telemetry,
  ) {
    // Two connections: a blocked publisher must not keep acks from the broker.
    this.publishConnection = connectionFor('publish', settings, telemetry);
    this.consumeConnection = connectionFor('consume', settings, telemetry);
    this.replies = new ReplyPublisher(connectionFor('reply', settings, telemetry), settings);
    // Its looks go over the connection that no alarm blocks.
    this.topology = new BrokerTopology(settings, this.consumeConnection, telemetry, (queue, maxLength) =>
      this.publishing.limitChanged(queue, maxLength),
    );
    this.stopRepairing = [
      telemetry.on('connection.opened', ({ connection }) => {
        // Replies need none of our queues, and anybody can have their connection closed.
        if (connection === nameOf('reply', settings)) return;
        if (this.consumeConnection.state.kind === 'open') void this.topology.repair();
      }),
      telemetry.on('settle.failed', () => void this.topology.repair()),
    ];
    const connections = { publish: this.publishConnection, look: this.consumeConnection };
    this.publishing = new PublishPipeline(
      settings,
      connections,
      telemetry,
      () => void this.topology.recheck(),
    );
    this.consuming = new ConsumePipeline(this.consumeConnection, telemetry);
  }

  /** The door of a queue listed in `queues`. Publishing works once `start` has resolved. */
  queue(name: string): WorkQueue {
    return this.publishing.queue(name);
  }

  /** False until `start` was called. */
  get isStarted(): boolean {
    return this.publishConnection.state.kind !== 'idle';
  }

  /** Connects, makes the queues as configured, opens the doors. */
  async start(): Promise<void> {
    try {
      await Promise.all([this.publishConnection.open(), this.consumeConnection.open()]);
      await Promise.all(this.settings.queues.map((name) => this.openDoor(name)));
    } catch (error) {
      // Whoever gets the error has nothing to close; a connection left open would keep the process alive.
      await this.close();
      throw error;
    }
  }

  /** Makes sure of the handler's queue and starts consuming it, unless told to stop meanwhile. */
  async consume(handler: MountedHandler): Promise<void> {
    const qos = qosOf(handler.queue, this.settings);
    const bounds = this.consuming.reserve(handler, qos);
    await this.topology.ensure(handler.queue);
    const publishDeadLetter = await this.publishing.openDeadLetters(handler.queue, bounds.concurrency);
    if (this.isStopping) return;
    const codec = codecOf(handler.queue, this.settings);
    await this.consuming.start(handler, {
      qos,
      codec,
      bounds,
      publishDeadLetter,
      publishReply: (message) => this.replies.publish(message),
    });
  }

  /**
   * The first step of a shutdown: stops consuming and lets running handlers finish within `drainTimeoutMs`; callers
   * that wait for results go on without. Publishing still works. Idempotent.
   */
  async stopConsuming(): Promise<void> {
    this.isStopping = true;
    this.publishing.stopWaiting();
    await this.consuming.drain(this.settings.drainTimeoutMs);
  }

  /** Everything that is left: consumers, outstanding confirms, connections. Idempotent. */
  async close(): Promise<void> {
    await this.stopConsuming();
    for (const stop of this.stopRepairing) stop();
    const { confirmTimeoutMs } = this.settings;
    await Promise.all([this.publishing.close(confirmTimeoutMs), this.replies.close(confirmTimeoutMs)]);
    await Promise.all([this.publishConnection.close(), this.consumeConnection.close()]);
  }

  /** Ready means: connected, not blocked, doors open, consumers subscribed, queues limited as configured. */
  async health(): Promise<RuntimeHealth> {
    const problems = this.isStopping ? ['shutting down'] : await this.problems();
    return { isReady: problems.length === 0, problems };
  }

  private async openDoor(name: string): Promise<void> {
    const queue = await this.topology.ensure(name);
    await delay(queue.settleMs);
    await this.publishing.open(name, queue.maxLength);
    const { wasCreated, maxLength } = queue;
    const explanation = explain(qosOf(name, this.settings));
    this.telemetry.emit('queue.ready', { queue: name, wasCreated, maxLength, explanation });
  }

  /** Without its connections there is nothing to be asked, and asking would take its time. */
  private async problems(): Promise<string[]> {
    const connections = [
      ['publish', this.publishConnection.state],
      ['consume', this.consumeConnection.state],
    ] as const;
    const down = connections.filter(([, state]) => state.kind !== 'open');
    if (down.length > 0) return down.map(([name, state]) => `${name} connection is ${state.kind}`);
    return [
      ...this.publishing.closedDoors.map((name) => `no channel to publish to ${name}`),
      ...this.publishing.silentDoors.map((name) => `the broker confirms nothing published to ${name}`),
      ...this.consuming.silentQueues.map((name) => `not consuming ${name}`),
      ...(await this.topology.problems()),
    ];
  }
}

function connectionFor(purpose: Purpose, settings: Settings, telemetry: Telemetry): ReconnectingConnection {
  const { url, startTimeoutMs } = settings;
  return new ReconnectingConnection({ url, name: nameOf(purpose, settings), startTimeoutMs, telemetry });
}

function nameOf(purpose: Purpose, { name }: Settings): string {
  return `${name} ${purpose}`;
}
