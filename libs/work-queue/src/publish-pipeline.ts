import type { QueueQos } from '@spillway/qos';
import type { BrokerConnection, OutgoingMessage } from './broker/broker.port.js';
import { type Settings, unknownQueue } from './config/settings.js';
import { ConfigurationError } from './errors/configuration.error.js';
import type { Codec } from './message/codec.js';
import { jsonCodec } from './message/json.codec.js';
import type { PublishTarget } from './publish/publish-decision.js';
import { Publisher, type PublisherOptions } from './publish/publisher.js';
import { WorkQueue } from './publish/work-queue.js';
import type { Telemetry } from './telemetry/telemetry.js';

/** The publisher's side in one place: a publisher and a door per queue, and one per dead-letter queue. */
export class PublishPipeline {
  private readonly publishers = new Map<string, Publisher>();
  private readonly queues = new Map<string, WorkQueue>();

  constructor(
    private readonly settings: Settings,
    private readonly connection: BrokerConnection,
    private readonly telemetry: Telemetry,
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

  /** Opens the door of a queue; `maxLength` is the limit in force on the broker. */
  async open(name: string, maxLength: number): Promise<void> {
    const publisher = this.publishers.get(name);
    if (!publisher) return;
    publisher.limitChanged(maxLength);
    await publisher.open();
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
    this.publishers.get(name)?.limitChanged(maxLength);
  }

  /** Publishes the dead letters of one queue. They are as many as its handlers run, so that is the window. */
  async openDeadLetters(
    name: string,
    concurrency: number,
  ): Promise<(message: OutgoingMessage) => Promise<void>> {
    const deadName = `${name}.dead`;
    const target: PublishTarget = {
      name: deadName,
      type: 'quorum',
      // It refuses nothing for its length.
      overflow: 'drop-head',
      maxLength: Number.MAX_SAFE_INTEGER,
      window: concurrency,
      serviceTimeMs: undefined,
      concurrencyTotal: concurrency,
    };
    // What the broker has delivered it takes again; refused here it would go round for ever.
    const options = { ...this.settings, maxMessageBytes: Number.MAX_SAFE_INTEGER };
    const publisher = this.addPublisher(deadName, target, options);
    await publisher.open();
    return (message) => publisher.publish(message);
  }

  async close(deadlineMs: number): Promise<void> {
    await Promise.all([...this.publishers.values()].map((publisher) => publisher.close(deadlineMs)));
  }

  private addQueue(name: string, qos: QueueQos): void {
    const { type, overflow, maxLength, window, serviceTimeMs } = qos;
    const concurrencyTotal = qos.workers * qos.concurrency;
    const target = { name, type, overflow, maxLength, window, serviceTimeMs, concurrencyTotal };
    const publisher = this.addPublisher(name, target, this.settings);
    this.queues.set(
      name,
      new WorkQueue(name, publisher, codecOf(name, this.settings), overflow === 'drop-head'),
    );
  }

  private addPublisher(name: string, target: PublishTarget, options: PublisherOptions): Publisher {
    const publisher = new Publisher(this.connection, target, options, this.telemetry);
    this.publishers.set(name, publisher);
    return publisher;
  }
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
