import { handlerCount, type QueueQos } from '@spillway/qos';
import { Admission } from './admission/admission.js';
import type { BrokerConnection, OutgoingMessage, QueueReading } from './broker/broker.port.js';
import { type Settings, unknownQueue } from './config/settings.js';
import { ConfigurationError } from './errors/configuration.error.js';
import type { Codec } from './message/codec.js';
import { jsonCodec } from './message/json.codec.js';
import { MessageIds } from './message/message-id.js';
import { Publisher, type PublisherOptions } from './publish/publisher.js';
import { RecentIds } from './publish/recent-ids.js';
import { ReplyWaiters } from './publish/reply-waiters.js';
import { QueueDoor } from './queue-door.js';
import type { Telemetry } from './telemetry/telemetry.js';
import { withinDeadline } from './timing/within-deadline.js';
import { WorkQueue } from './work-queue.js';

/** A passive declare takes less than a millisecond; whoever waits for an answer has waited for the confirm already. */
const LOOK_TIMEOUT_MS = 1_000;

type DoorQos = Pick<
  QueueQos,
  'type' | 'overflow' | 'maxLength' | 'window' | 'windowBytes' | 'serviceTimeMs' | 'shedLowAt'
> & { readonly concurrencyTotal: number };

interface Connections {
  readonly publish: BrokerConnection;
  /** Queues are looked at over the one that no alarm blocks. */
  readonly look: BrokerConnection;
}

/** The publisher's side in one place: a publisher and a door per queue, and one per dead-letter queue. */
export class PublishPipeline {
  private readonly publishers = new Map<string, Publisher>();
  private readonly doors = new Map<string, QueueDoor>();
  private readonly queues = new Map<string, WorkQueue>();
  private readonly waiters: ReplyWaiters[] = [];
  private readonly ids = new MessageIds();

  constructor(
    private readonly settings: Settings,
    private readonly connections: Connections,
    private readonly telemetry: Telemetry,
    /** Called when a refusal hints at another limit than the one that is known; may be often. */
    private readonly limitDoubted: () => void,
  ) {
    for (const name of settings.queues) this.addQueue(name, qosOf(name, settings));
  }

  /** @throws ConfigurationError when the process did not say that it publishes to this queue */
  queue(name: string): WorkQueue {
    const queue = this.queues.get(name);
    if (queue) return queue;
    throw new ConfigurationError(
      `this process does not publish to queue ${JSON.stringify(name)}: add it to WorkQueueModule.forRoot({ queues: [...] })`,
    );
  }

  /**
   * Makes the door of a queue that this process need not have said it publishes to.
   * @throws ConfigurationError when the QoS file does not know the queue
   */
  addDoor(name: string): void {
    if (!this.doors.has(name)) this.addQueue(name, qosOf(name, this.settings));
  }

  /** Publishes a message as it is, to the queue it names; its door must be there. @throws as `WorkQueue.publish` */
  async resend(message: OutgoingMessage): Promise<void> {
    // New work keeps the rest of the queue to itself.
    await this.doors.get(message.queue)?.send(message, { priority: 'low' });
  }

  /** Opens the door of a queue; `maxLength` is the limit in force on the broker. */
  async open(name: string, maxLength: number): Promise<void> {
    this.limitChanged(name, maxLength);
    await this.publishers.get(name)?.open();
  }

  get closedDoors(): string[] {
    return [...this.publishers].filter(([, publisher]) => !publisher.isOpen).map(([name]) => name);
  }

  /** Queues whose publishes the broker does not answer. */
  get silentDoors(): string[] {
    return [...this.publishers].filter(([, publisher]) => publisher.isSilent).map(([name]) => name);
  }

  /** The limit in force on the broker was found to be another. */
  limitChanged(name: string, maxLength: number): void {
    this.doors.get(name)?.limitChanged(maxLength);
  }

  /**
   * Publishes what a handler of this queue could not finish. There is never more of it than its handlers hold, so it
   * has no window; and what the broker has delivered it takes again, so no limit of size: refused here it would go
   * round for ever.
   */
  async openCopies(name: string): Promise<Publisher> {
    const size = { messages: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER };
    const options = { ...this.settings, maxMessageBytes: Number.MAX_SAFE_INTEGER };
    const publisher = new Publisher(this.connections.publish, size, options);
    this.publishers.set(`retries and dead letters of ${name}`, publisher);
    await publisher.open();
    return publisher;
  }

  /** Callers that wait for results go on without them; publishing goes on. */
  stopWaiting(): void {
    for (const waiters of this.waiters) waiters.close();
  }

  async close(deadlineMs: number): Promise<void> {
    await Promise.all([...this.publishers.values()].map((publisher) => publisher.close(deadlineMs)));
  }

  private addQueue(name: string, qos: QueueQos): void {
    const { settings } = this;
    const waiters = new ReplyWaiters(settings.maxCallers);
    this.waiters.push(waiters);
    const doorQos = doorQosOf(qos);
    const publisher = this.addPublisher(name, doorQos, settings, waiters);
    const door = this.doorOf(name, doorQos, publisher, settings);
    this.doors.set(name, door);
    const recentIds = new RecentIds(settings.recentIds);
    const codec = codecOf(name, settings);
    const mayBeDropped = qos.overflow === 'drop-head';
    this.queues.set(
      name,
      new WorkQueue(name, { door, codec, ids: this.ids, recentIds, waiters, mayBeDropped }),
    );
  }

  private addPublisher(
    name: string,
    { window, windowBytes }: DoorQos,
    options: PublisherOptions,
    waiters?: ReplyWaiters,
  ): Publisher {
    const size = { messages: window, bytes: windowBytes };
    const publisher = new Publisher(this.connections.publish, size, options, waiters);
    this.publishers.set(name, publisher);
    return publisher;
  }

  private doorOf(name: string, qos: DoorQos, publisher: Publisher, options: PublisherOptions): QueueDoor {
    const { telemetry } = this;
    const clock = (): number => performance.now();
    const admission = new Admission(qos, () => this.look(name), clock);
    const parts = { connection: this.connections.publish, publisher, admission, telemetry, options };
    const { limitDoubted } = this;
    return new QueueDoor({ name, ...qos }, { ...parts, limitDoubted, random: Math.random, clock });
  }

  /** A queue without a leader may never answer. */
  private look(name: string): Promise<QueueReading | undefined> {
    const reading = this.connections.look.inspectQueue(name).catch(() => undefined);
    return withinDeadline(reading, LOOK_TIMEOUT_MS, undefined);
  }
}

function doorQosOf(qos: QueueQos): DoorQos {
  const { type, overflow, maxLength, window, windowBytes, serviceTimeMs, shedLowAt } = qos;
  const concurrencyTotal = handlerCount(qos);
  return { type, overflow, maxLength, window, windowBytes, serviceTimeMs, shedLowAt, concurrencyTotal };
}

/** @throws ConfigurationError */
export function qosOf(name: string, settings: Settings): QueueQos {
  const qos = settings.qos.get(name);
  if (!qos) throw new ConfigurationError(unknownQueue(name, settings));
  return qos;
}

/** The codec of a queue. The map cannot know each queue's payload type; whoever configured it vouches for it. */
export function codecOf(name: string, settings: Settings): Codec<unknown> {
  return (settings.codecs[name] as Codec<unknown> | undefined) ?? jsonCodec;
}
