import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { QueueQos } from '@spillway/qos';
import type { BrokerConnection } from './broker/broker.port.js';
import { type DeliveryWork, QueueConsumer } from './consume/queue-consumer.js';
import { HandlerRegistrationError } from './errors/handler-registration.error.js';
import { Executor } from './execute/executor.js';
import type { MountedHandler } from './execute/work-handler.js';
import type { Codec } from './message/codec.js';
import { HEADERS } from './message/headers.js';
import { Replier, type ReplyPublish } from './settle/replier.js';
import { type DeadLetterPublish, Settler } from './settle/settler.js';
import type { Telemetry } from './telemetry/telemetry.js';

export interface HandlerSettings {
  readonly qos: QueueQos;
  readonly codec: Codec<unknown>;
  readonly bounds: HandlerBounds;
  readonly publishDeadLetter: DeadLetterPublish;
  readonly publishReply: ReplyPublish;
}

export interface HandlerBounds {
  readonly prefetch: number;
  readonly concurrency: number;
}

/** The worker's side in one place: consume, execute, settle, reply, for every handler of this process. */
export class ConsumePipeline {
  private readonly consumers = new Map<string, QueueConsumer>();
  private readonly handlers = new Map<string, string>();

  constructor(
    private readonly connection: BrokerConnection,
    private readonly telemetry: Telemetry,
  ) {}

  get silentQueues(): string[] {
    return [...this.consumers.values()]
      .filter((consumer) => !consumer.isConsuming)
      .map((consumer) => consumer.queue);
  }

  /**
   * Takes the queue for this handler and says how much of it may be out and running.
   * @throws HandlerRegistrationError when another handler of this process has it, or the numbers make no sense
   */
  reserve(handler: MountedHandler, qos: QueueQos): HandlerBounds {
    const other = this.handlers.get(handler.queue);
    if (other !== undefined) {
      throw new HandlerRegistrationError(
        `queue ${JSON.stringify(handler.queue)} has two handlers, ${other} and ${handler.label}: each message would go to either. Keep one, give each a queue of its own, or provide the class in one module only.`,
        { queue: handler.queue },
      );
    }
    this.handlers.set(handler.queue, handler.label);
    return boundsOf(handler, qos);
  }

  async start(handler: MountedHandler, settings: HandlerSettings): Promise<void> {
    const { queue } = handler;
    const executor = new Executor(handler, settings.qos, settings.codec, this.telemetry, Math.random);
    const settler = new Settler(queue, settings.publishDeadLetter, this.telemetry);
    const replier = new Replier(queue, settings.publishReply, this.telemetry);
    const work = workOf({ queue, executor, settler, replier, telemetry: this.telemetry });
    const tag = `${hostname()}.${process.pid}.${randomUUID().slice(0, 8)}`;
    const consumer = new QueueConsumer(
      this.connection,
      { queue, tag, ...settings.bounds },
      work,
      this.telemetry,
    );
    this.consumers.set(queue, consumer);
    await consumer.start();
  }

  async drain(deadlineMs: number): Promise<void> {
    await Promise.all([...this.consumers.values()].map((consumer) => consumer.drain(deadlineMs)));
  }
}

/** The decorator's numbers win over the QoS file's; a prefetch alone is a concurrency too. */
function boundsOf(handler: MountedHandler, qos: QueueQos): HandlerBounds {
  const prefetch = handler.prefetch ?? Math.max(qos.prefetch, handler.concurrency ?? 0);
  const concurrency = handler.concurrency ?? Math.min(handler.prefetch ?? qos.concurrency, prefetch);
  if (isBound(prefetch) && isBound(concurrency) && prefetch >= concurrency) return { prefetch, concurrency };
  throw new HandlerRegistrationError(
    `${handler.label}: expected prefetch >= concurrency, both integers from 1 to 65535, got: prefetch ${prefetch}, concurrency ${concurrency}`,
    { queue: handler.queue },
  );
}

function isBound(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65_535;
}

interface DeliveryStages {
  readonly queue: string;
  readonly executor: Executor;
  readonly settler: Settler;
  readonly replier: Replier;
  readonly telemetry: Telemetry;
}

/** What happens to one delivery. Never rejects. */
function workOf({ queue, executor, settler, replier, telemetry }: DeliveryStages): DeliveryWork {
  return async (delivery, signals) => {
    const { message } = delivery;
    const startedAt = Date.now();
    // Publishers that are not ours may leave the id out; execution still needs one to talk about.
    const messageId = message.messageId ?? randomUUID();
    const outcome = await executor.execute(message, messageId, signals);
    const serviceTimeMs = Date.now() - startedAt;
    const end = await settler.settle(delivery, messageId, outcome, signals.stopping);
    replier.reply({ message, messageId, outcome, end });
    const waitTimeMs = waitTimeOf(message.headers[HEADERS.publishedAt], startedAt);
    const error = outcome.kind === 'dead' ? outcome.error : undefined;
    const attempt = outcome.attempts;
    telemetry.emit('job.settled', { queue, messageId, end, attempt, serviceTimeMs, waitTimeMs, error });
  };
}

/** Two machines' clocks may disagree; a wait is never negative. */
function waitTimeOf(publishedAt: unknown, startedAt: number): number | undefined {
  return typeof publishedAt === 'number' ? Math.max(0, startedAt - publishedAt) : undefined;
}
