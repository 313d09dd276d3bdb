import { afterEach, beforeEach, jest } from '@jest/globals';
import type {
  BrokerConnection,
  ConfirmAnswer,
  ConnectionState,
  ConsumeChannel,
  ConsumeRequest,
  IncomingMessage,
  IncomingReply,
  OutgoingMessage,
  PendingPublish,
  PublishChannel,
  PublishChannelOptions,
  QueueReading,
} from '../../libs/work-queue/src/broker/broker.port.js';
import { Telemetry, type TelemetryEvents } from '../../libs/work-queue/src/telemetry/telemetry.js';

/**
 * The broker port by hand: the test says what the broker answers, and when. Nothing here waits; together with
 * `fakeableTimers` and jest's fake timers a test owns all time there is.
 */
export class FakeConnection implements BrokerConnection {
  state: ConnectionState = { kind: 'open' };
  readonly publishChannels: FakePublishChannel[] = [];
  readonly consumeChannels: FakeConsumeChannel[] = [];
  readonly inspected: string[] = [];
  inspect: (name: string) => Promise<QueueReading | undefined> = () => Promise.resolve(undefined);
  /** Called before a channel is made; throw or wait in it to have opening fail or take time. */
  beforeOpen: () => Promise<void> = () => Promise.resolve();
  /** Called with each consume channel before it is handed out, to say how the broker answers on it. */
  prepare: (channel: FakeConsumeChannel) => void = () => undefined;
  private readonly waiters = new Set<() => void>();
  private readonly listeners = new Set<(state: ConnectionState) => void>();

  get publishChannel(): FakePublishChannel {
    return last(this.publishChannels);
  }

  get consumeChannel(): FakeConsumeChannel {
    return last(this.consumeChannels);
  }

  /** The connection goes, and its channels with it. */
  lose(reason = 'gone'): void {
    this.become({ kind: 'waiting', attempt: 0, retryInMs: 0, reason });
    for (const channel of [...this.publishChannels, ...this.consumeChannels]) channel.end(reason);
  }

  /** The broker's alarm starts. */
  block(reason = 'low on memory'): void {
    this.become({ kind: 'blocked', reason });
  }

  comeBack(): void {
    this.become({ kind: 'open' });
    for (const wake of this.waiters) wake();
    this.waiters.clear();
  }

  async open(): Promise<void> {}

  async whenOpen(signal?: AbortSignal): Promise<void> {
    if (this.state.kind === 'open') return;
    await new Promise<void>((resolve, reject) => {
      this.waiters.add(resolve);
      signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
    });
  }

  onStateChange(listener: (state: ConnectionState) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async openPublishChannel({ onReply }: PublishChannelOptions = {}): Promise<PublishChannel> {
    await this.beforeOpen();
    const channel = new FakePublishChannel(onReply);
    this.publishChannels.push(channel);
    return channel;
  }

  async openConsumeChannel(): Promise<ConsumeChannel> {
    await this.beforeOpen();
    const channel = new FakeConsumeChannel();
    this.prepare(channel);
    this.consumeChannels.push(channel);
    return channel;
  }

  async declareQueue(): Promise<void> {}

  async inspectQueue(name: string): Promise<QueueReading | undefined> {
    this.inspected.push(name);
    return this.inspect(name);
  }

  async close(): Promise<void> {
    this.lose('closed');
    this.become({ kind: 'closed' });
  }

  private become(state: ConnectionState): void {
    this.state = state;
    for (const listener of this.listeners) listener(state);
  }
}

class FakeChannel {
  isOpen = true;
  readonly closed: Promise<string>;
  readonly log: string[] = [];
  private resolveClosed: (reason: string) => void = () => undefined;

  constructor() {
    this.closed = new Promise((resolve) => (this.resolveClosed = resolve));
  }

  end(reason: string): void {
    this.isOpen = false;
    this.resolveClosed(reason);
  }

  async close(): Promise<void> {
    if (this.isOpen) this.log.push('close');
    this.end('channel closed');
  }
}

export interface SentMessage {
  readonly message: OutgoingMessage;
  answer(answer: ConfirmAnswer): void;
}

class FakePublishChannel extends FakeChannel implements PublishChannel {
  readonly sent: SentMessage[] = [];
  /** Answers by itself when set. */
  autoAnswer: ConfirmAnswer | undefined;

  private unanswered = 0;
  private readonly idleListeners: Array<() => void> = [];

  constructor(readonly onReply?: (reply: IncomingReply) => void) {
    super();
  }

  publish(message: OutgoingMessage, pending: PendingPublish): void {
    if (this.autoAnswer) return pending.answered(this.autoAnswer);
    let isAnswered = false;
    const answer = (given: ConfirmAnswer): void => {
      if (isAnswered) return;
      isAnswered = true;
      pending.answered(given);
      this.unanswered--;
      if (this.unanswered === 0) for (const listener of this.idleListeners.splice(0)) listener();
    };
    this.unanswered++;
    this.sent.push({ message, answer });
  }

  async idle(): Promise<void> {
    if (this.unanswered === 0) return;
    await new Promise<void>((resolve) => this.idleListeners.push(resolve));
  }

  override end(reason: string): void {
    super.end(reason);
    for (const sent of this.sent) sent.answer('lost');
  }
}

export class FakeConsumeChannel extends FakeChannel implements ConsumeChannel {
  readonly requests: ConsumeRequest[] = [];
  readonly unsettled = new Set<number>();
  /** Acks are in the log at once; a test that has some lost with the channel says how many. */
  unwrittenAcks = 0;
  /** Resolves when the broker would say consume-ok, or rejects in its place. */
  beforeConsumeOk: () => Promise<void> = () => Promise.resolve();
  /** Resolves when the broker would say cancel-ok. */
  beforeCancelOk: () => Promise<void> = () => Promise.resolve();
  private lastTag = 0;

  get request(): ConsumeRequest {
    return last(this.requests);
  }

  async consume(request: ConsumeRequest): Promise<void> {
    this.requests.push(request);
    await this.beforeConsumeOk();
  }

  async cancel(consumerTag: string): Promise<void> {
    this.log.push(`cancel ${consumerTag}`);
    await this.beforeCancelOk();
  }

  deliver(message: Partial<IncomingMessage> = {}): number {
    const deliveryTag = ++this.lastTag;
    this.unsettled.add(deliveryTag);
    this.request.onMessage(incoming({ ...message, deliveryTag }));
    return deliveryTag;
  }

  ack(deliveryTag: number): boolean {
    return this.settle(deliveryTag, 'ack');
  }

  giveBack(deliveryTag: number): boolean {
    return this.settle(deliveryTag, 'give back');
  }

  private settle(deliveryTag: number, how: string): boolean {
    if (!this.isOpen || !this.unsettled.delete(deliveryTag)) return false;
    this.log.push(`${how} ${deliveryTag}`);
    return true;
  }
}

export function incoming(message: Partial<IncomingMessage> = {}): IncomingMessage {
  return {
    deliveryTag: 1,
    isRedelivered: false,
    body: Buffer.from('{}'),
    messageId: 'id-1',
    contentType: 'application/json',
    contentEncoding: undefined,
    headers: {},
    replyTo: undefined,
    correlationId: undefined,
    ...message,
  };
}

export function outgoing(message: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    queue: 'orders',
    body: Buffer.from('{}'),
    messageId: 'id-1',
    contentType: 'application/json',
    headers: {},
    ...message,
  };
}

type RecordedEvent = {
  [Name in keyof TelemetryEvents]: { name: Name } & TelemetryEvents[Name];
}[keyof TelemetryEvents];

/** A telemetry that remembers everything. */
export class RecordingTelemetry extends Telemetry {
  readonly events: RecordedEvent[] = [];

  override emit<Name extends keyof TelemetryEvents>(name: Name, event: TelemetryEvents[Name]): void {
    this.events.push({ ...event, name } as RecordedEvent);
    super.emit(name, event);
  }

  named<Name extends keyof TelemetryEvents>(name: Name): Array<TelemetryEvents[Name]> {
    return this.events.filter((event) => event.name === name) as unknown as Array<TelemetryEvents[Name]>;
  }
}

/**
 * `node:timers/promises` in terms of the global timers, which jest can fake:
 * `jest.unstable_mockModule('node:timers/promises', () => fakeableTimers)` before importing what is tested.
 */
export const fakeableTimers = {
  setTimeout<T>(
    milliseconds: number,
    value?: T,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new Error('aborted'));
      const abort = (): void => {
        clearTimeout(timer);
        reject(new Error('aborted'));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve(value);
      }, milliseconds);
      signal?.addEventListener('abort', abort, { once: true });
    });
  },
};

/** Back to real time. @throws when the test left a timer running: whoever started it has to clear it */
export function endFakeTime(): void {
  const timersLeft = jest.getTimerCount();
  jest.useRealTimers();
  if (timersLeft > 0) throw new Error(`${timersLeft} timers were left running`);
}

/** Fake time in each test of the file that calls this. @returns how to name what is to be closed after the test */
export function fakeTimeInEachTest(): (close: () => Promise<void>) => void {
  const closes: Array<() => Promise<void>> = [];
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(async () => {
    const closing = closes.splice(0).map((close) => close());
    await jest.advanceTimersByTimeAsync(0);
    await Promise.all(closing);
    endFakeTime();
  });
  return (close) => void closes.push(close);
}

/** A promise and its two ends. */
export function gate<T = void>(): {
  promise: Promise<T>;
  open: (value: T) => void;
  fail: (error: unknown) => void;
} {
  let open: (value: T) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}

/** Lets every promise that can go on go on; no time passes. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

function last<T>(items: readonly T[]): T {
  const item = items.at(-1);
  if (item === undefined) throw new Error('there is none yet');
  return item;
}
