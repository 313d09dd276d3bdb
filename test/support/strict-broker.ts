import type {
  ConsumeChannel,
  ConsumeRequest,
  IncomingMessage,
} from '../../libs/work-queue/src/broker/broker.port.js';
import { FakeConnection, incoming } from './fake-broker.js';

/** A message as the broker keeps it. */
export interface StoredMessage {
  readonly queue: string;
  readonly messageId: string | undefined;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
  /** It was out before, with somebody else. */
  readonly wasElsewhere: boolean;
  readonly isRedelivered: boolean;
}

/** As long as a worker may take what comes marked as redelivered for what it cancelled itself. */
const ECHO_MS = 2_000;

export type CopyState = 'asked' | 'stored' | 'failed';

/** One delivery, and all that became of it. Known by its body, which no other delivery shares. */
export interface Handed {
  readonly stored: StoredMessage;
  readonly message: IncomingMessage;
  readonly channel: StrictChannel;
  readonly copies: CopyState[];
  /** A consumer of its queue was cancelled a moment before it came: what it had on its way comes again like this. */
  readonly mayBeEcho: boolean;
  starts: number;
  isRunning: boolean;
  /** The handler says that nothing is left to do. */
  isDone: boolean;
  settlings: number;
}

/**
 * A broker that hands out what it has as far as each prefetch allows, takes back what is not settled, and forgives
 * nothing: what a worker must never do ends up in `violations`.
 */
export class StrictBroker extends FakeConnection {
  readonly violations: string[] = [];
  readonly channels: StrictChannel[] = [];
  readonly handed: Handed[] = [];
  /** How long each cancel takes, milliseconds, one after the other and then again. */
  cancelsTakeMs: readonly number[] = [0];
  /** So many times opening a channel fails. */
  failingOpens = 0;
  nowMs = 0;
  /** The queue that must never be consumed with a prefetch above one. */
  oneAtATime: string | undefined;
  /** When work that a handler has finished was acked last. */
  doneAtMs = Number.NEGATIVE_INFINITY;
  private readonly cancelledAtMs = new Map<string, number>();
  private ready: StoredMessage[] = [];
  private readonly byBody = new Map<Buffer, Handed>();
  private later: Array<{ readonly atMs: number; readonly happen: () => void }> = [];
  private cancels = 0;

  override async openConsumeChannel(): Promise<ConsumeChannel> {
    if (this.state.kind !== 'open') throw new Error('there is no connection');
    if (this.failingOpens > 0) {
      this.failingOpens--;
      throw new Error('the channel was not opened');
    }
    const channel = new StrictChannel(this);
    this.channels.push(channel);
    return channel;
  }

  override lose(reason = 'gone'): void {
    super.lose(reason);
    for (const channel of this.channels) channel.end(reason);
  }

  /** What is ready or out, for messages. */
  get left(): string {
    const out = this.channels.flatMap(({ unsettled }) => unsettled.map(({ stored }) => stored));
    return [...this.ready, ...out].map(({ queue, body }) => `${queue}: ${body}`).join(', ');
  }

  publish(message: StoredMessage): void {
    this.ready.push(message);
  }

  /** @throws when this body was never delivered */
  deliveryOf(body: Buffer): Handed {
    const handed = this.byBody.get(body);
    if (handed) return handed;
    throw new Error('no delivery has this body');
  }

  /** Hands out what may be handed out. */
  deliver(): void {
    const { ready } = this;
    this.ready = [];
    for (const stored of ready) {
      const taker = this.channels.find((channel) => channel.mayTake(stored.queue));
      if (taker) this.handOut(stored, taker);
      else this.ready.push(stored);
    }
  }

  takeBack({ stored }: Handed): void {
    this.ready.unshift({ ...stored, isRedelivered: true });
  }

  /** Makes something happen when so much time has passed, by `pass`. */
  in(milliseconds: number, happen: () => void): void {
    this.later.push({ atMs: this.nowMs + milliseconds, happen });
  }

  /** Time passes; what was to happen until then happens, in its order. */
  pass(milliseconds: number): void {
    this.nowMs += milliseconds;
    const due = this.later
      .filter(({ atMs }) => atMs <= this.nowMs)
      .sort((one, other) => one.atMs - other.atMs);
    this.later = this.later.filter(({ atMs }) => atMs > this.nowMs);
    for (const { happen } of due) happen();
  }

  /** The worker asked for it. */
  cancelled(queue: string): void {
    this.cancelledAtMs.set(queue, this.nowMs);
  }

  nextCancelMs(): number {
    return this.cancelsTakeMs[this.cancels++ % this.cancelsTakeMs.length] ?? 0;
  }

  mustNot(what: string, handed?: Handed): void {
    const about = handed ? ` (${handed.message.messageId}: ${handed.stored.body})` : '';
    this.violations.push(`${what}${about}`);
  }

  private handOut(stored: StoredMessage, channel: StrictChannel): void {
    const { messageId, headers, isRedelivered } = stored;
    const body = Buffer.from(stored.body);
    const message = incoming({ body, messageId, headers, isRedelivered, deliveryTag: channel.nextTag() });
    const cancelledAtMs = this.cancelledAtMs.get(stored.queue) ?? Number.NEGATIVE_INFINITY;
    const mayBeEcho = this.nowMs - cancelledAtMs <= ECHO_MS;
    const rest = { mayBeEcho, starts: 0, isRunning: false, isDone: false, settlings: 0 };
    const handed: Handed = { stored, message, channel, copies: [], ...rest };
    this.handed.push(handed);
    this.byBody.set(body, handed);
    channel.take(handed);
  }
}

interface StrictConsumer {
  readonly request: ConsumeRequest;
  /** What it was handed and is not settled. */
  readonly out: Set<Handed>;
}

class StrictChannel implements ConsumeChannel {
  isOpen = true;
  readonly unwrittenAcks = 0;
  readonly closed: Promise<string>;
  /** When it ended, in the time of the broker. */
  endedAtMs = Number.POSITIVE_INFINITY;
  /** What was delivered on it and not settled when it was closed from here. */
  abandoned = 0;
  private readonly byTag = new Map<number, Handed>();
  private readonly consumers = new Map<string, StrictConsumer>();
  private readonly usedTags = new Set<string>();
  private lastTag = 0;
  private out: Handed[] = [];
  private resolveClosed: (reason: string) => void = () => undefined;

  constructor(private readonly broker: StrictBroker) {
    this.closed = new Promise((resolve) => (this.resolveClosed = resolve));
  }

  /** Delivered on it and neither settled nor gone with it. */
  get unsettled(): readonly Handed[] {
    return this.out;
  }

  async consume(request: ConsumeRequest): Promise<void> {
    if (!this.isOpen) throw new Error('the channel is closed');
    if (this.usedTags.has(request.consumerTag)) this.broker.mustNot('a consumer tag was used twice');
    if (this.consumers.size > 0) this.broker.mustNot('a channel had two consumers');
    if (request.queue === this.broker.oneAtATime && request.prefetch !== 1) {
      this.broker.mustNot(`${request.queue} was consumed with a prefetch of ${request.prefetch}`);
    }
    this.usedTags.add(request.consumerTag);
    this.consumers.set(request.consumerTag, { request, out: new Set() });
  }

  /** The broker goes on delivering until it has got to it. */
  async cancel(consumerTag: string): Promise<void> {
    const cancelled = new Promise<void>((resolve) => {
      this.broker.in(this.broker.nextCancelMs(), () => {
        const queue = this.consumers.get(consumerTag)?.request.queue;
        this.consumers.delete(consumerTag);
        if (queue !== undefined) this.broker.cancelled(queue);
        resolve();
      });
    });
    await Promise.race([cancelled, this.closed.then((reason) => Promise.reject(new Error(reason)))]);
  }

  ack(deliveryTag: number): boolean {
    const handed = this.settling(deliveryTag);
    if (!handed) return false;
    const copy = handed.copies.at(-1);
    const isSafe = copy === undefined ? handed.isDone : copy === 'stored';
    if (!isSafe) this.broker.mustNot('was acked with its work neither done nor stored', handed);
    if (handed.starts > 0) this.broker.doneAtMs = this.broker.nowMs;
    return true;
  }

  giveBack(deliveryTag: number): boolean {
    const handed = this.settling(deliveryTag);
    if (!handed) return false;
    if (handed.copies.some((copy) => copy !== 'failed')) {
      this.broker.mustNot('was given back although its copy is stored, or may be', handed);
    }
    this.broker.takeBack(handed);
    return true;
  }

  async close(): Promise<void> {
    if (this.isOpen) this.abandoned = this.out.length;
    this.end('channel closed');
  }

  end(reason: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.endedAtMs = this.broker.nowMs;
    this.consumers.clear();
    for (const handed of this.out) this.broker.takeBack(handed);
    this.out = [];
    this.resolveClosed(reason);
  }

  /** The broker ends the consumer by itself, such as when the queue's leader moves. */
  cancelByBroker(): void {
    const consumers = [...this.consumers.values()];
    this.consumers.clear();
    for (const { request } of consumers) request.onCancelled();
  }

  consumes(queue: string): boolean {
    return [...this.consumers.values()].some(({ request }) => request.queue === queue);
  }

  mayTake(queue: string): boolean {
    const consumer = this.consumerOf(queue);
    return consumer !== undefined && consumer.out.size < consumer.request.prefetch;
  }

  nextTag(): number {
    return ++this.lastTag;
  }

  take(handed: Handed): void {
    const consumer = this.consumerOf(handed.stored.queue);
    if (!consumer) throw new Error('nobody consumes');
    consumer.out.add(handed);
    this.out.push(handed);
    this.byTag.set(handed.message.deliveryTag, handed);
    consumer.request.onMessage(handed.message);
  }

  private consumerOf(queue: string): StrictConsumer | undefined {
    return [...this.consumers.values()].find(({ request }) => request.queue === queue);
  }

  /** Undefined when the channel is gone and there is nothing to settle. */
  private settling(deliveryTag: number): Handed | undefined {
    const handed = this.byTag.get(deliveryTag);
    if (!handed) {
      this.broker.mustNot(`tag ${deliveryTag} was settled on a channel that never delivered it`);
      return undefined;
    }
    handed.settlings++;
    if (handed.settlings > 1) this.broker.mustNot('was settled twice', handed);
    if (handed.isRunning) this.broker.mustNot('was settled while its handler runs', handed);
    if (!this.isOpen) return undefined;
    this.out = this.out.filter((each) => each !== handed);
    for (const { out } of this.consumers.values()) out.delete(handed);
    return handed;
  }
}
