import { setTimeout as delay } from 'node:timers/promises';
import { explain, type QueueQos, waitStepsOf } from '@spillway/qos';
import type { OutgoingMessage } from './broker/broker.port.js';
import { BrokerTopology } from './broker-topology.js';
import { ReconnectingConnection } from './broker/reconnecting-connection.js';
import type { Settings } from './config/settings.js';
import { ConsumePipeline } from './consume-pipeline.js';
import type { WorkConsumer } from './consume/handler-consumer.js';
import { DeadLetterService } from './dead-letter/dead-letter.service.js';
import type { MountedHandler } from './execute/work-handler.js';
import { codecOf, PublishPipeline, qosOf } from './publish-pipeline.js';
import { ReplyPublisher } from './reply-publisher.js';
import { Telemetry } from './telemetry/telemetry.js';
import { WorkCopies } from './work-copies.js';
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
  /** What became of work that could not be done. Usable once `start` has resolved. */
  readonly deadLetters: DeadLetterService;
  /** Of queues that this process did not say it publishes to. */
  private readonly doors = new Map<string, Promise<void>>();
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
    this.consuming = new ConsumePipeline(this.consumeConnection, telemetry, () => this.topology.repair());
    this.deadLetters = new DeadLetterService({
      connection: this.consumeConnection,
      send: (message) => this.resend(message),
    });
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
    const copies = await this.openCopies(handler.queue, qos);
    if (this.isStopping) return;
    const codec = codecOf(handler.queue, this.settings);
    await this.consuming.start(handler, {
      qos,
      codec,
      bounds,
      copies,
      readWaiting: () => this.readWaiting(handler.queue),
      publishReply: (message) => this.replies.publish(message),
    });
  }

  /**
   * How the handler of this queue takes its work, to be changed live.
   * @throws ConfigurationError when no handler of this process consumes the queue (yet)
   */
  consumer(queue: string): WorkConsumer {
    return this.consuming.consumer(queue);
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

  private async readWaiting(queue: string): Promise<number | undefined> {
    const waiting = await this.topology.waitingWork(queue);
    // One of its queues is gone; while nobody knows, no new work may be begun.
    if (waiting === undefined) void this.topology.repair();
    return waiting;
  }

  /** Where a handler's failures go, with the queues they go to. */
  private async openCopies(queue: string, qos: QueueQos): Promise<WorkCopies> {
    const { settleMs } = await this.topology.ensureForWork(queue, waitStepsOf(qos.backoff));
    const publisher = await this.publishing.openCopies(queue);
    const ensureStep = (delayMs: number) => this.topology.ensureWaitStep(queue, delayMs);
    return new WorkCopies(queue, { publisher, ensureStep, settleMs });
  }

  private async openDoor(name: string): Promise<void> {
    const queue = await this.topology.ensure(name);
    await delay(queue.settleMs);
    await this.publishing.open(name, queue.maxLength);
    const { wasCreated, maxLength } = queue;
    const explanation = explain(qosOf(name, this.settings));
    this.telemetry.emit('queue.ready', { queue: name, wasCreated, maxLength, explanation });
  }

  /** A redrive goes through the queue's door as any publish does, whether or not this process publishes otherwise. */
  private async resend(message: OutgoingMessage): Promise<void> {
    const { queue } = message;
    if (!this.settings.queues.includes(queue)) await this.openedDoor(queue);
    await this.publishing.resend(message);
  }

  private openedDoor(queue: string): Promise<void> {
    const opened = this.doors.get(queue);
    if (opened) return opened;
    this.publishing.addDoor(queue);
    const opening = this.openDoor(queue);
    this.doors.set(queue, opening);
    // The next redrive tries again.
    opening.catch(() => this.doors.delete(queue));
    return opening;
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
      ...this.consuming.problems,
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
