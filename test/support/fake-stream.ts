import {
  type BrokerConnection,
  type ConfirmAnswer,
  type ConsumeChannel,
  type ConsumeRequest,
  type OutgoingMessage,
  type PendingPublish,
  type PublishChannel,
  STREAM_OFFSET,
  type StreamOffset,
} from '../../libs/work-queue/src/broker/broker.port.js';
import { FakeConnection, FakeConsumeChannel, settled } from './fake-broker.js';

interface Stored {
  readonly offset: number;
  readonly body: Buffer;
  readonly chunk: number;
}

const TURNS_BETWEEN = 20;

/** What the broker does with a publish: store and confirm it, or only one of the two, or something else. */
export type PublishFate = ConfirmAnswer | 'silent' | 'stored-and-silent' | 'stored-and-lost';

/** One stream as brokers keep it (see test/integration/plan-stream.spec.ts); connections to it come and go. */
export class FakeStream {
  entries: Stored[] = [];
  isDeclared = false;
  /** Asked for each publish. */
  fate: (message: OutgoingMessage) => PublishFate = () => 'acked';
  /** Fewer than there are: what a node serves that lags behind. */
  lagging = 0;
  private nextOffset = 0;
  private chunk = 0;
  private readonly readers = new Set<StreamConsumeChannel>();

  connect(): FakeStreamConnection {
    return new FakeStreamConnection(this);
  }

  get bodies(): string[] {
    return this.entries.map(({ body }) => body.toString());
  }

  append(...bodies: ReadonlyArray<string | Buffer>): void {
    this.chunk++;
    for (const body of bodies) {
      const offset = this.nextOffset++;
      this.entries.push({ offset, body: Buffer.from(body), chunk: this.chunk });
    }
    this.lagging = 0;
    this.deliver();
  }

  /** The broker takes an offset for itself. */
  skipOffset(): void {
    this.nextOffset++;
  }

  /** What retention removes. */
  truncate(count: number): void {
    this.entries.splice(0, count);
  }

  /** The last entries are gone, and their offsets free: another disk. */
  rewind(count: number): void {
    this.entries.splice(-count, count);
    this.nextOffset = (this.entries.at(-1)?.offset ?? -1) + 1;
  }

  delete(): void {
    this.isDeclared = false;
    this.entries = [];
    this.nextOffset = 0;
    const readers = [...this.readers];
    this.readers.clear();
    for (const reader of readers) reader.request.onCancelled();
  }

  attach(reader: StreamConsumeChannel): void {
    this.readers.add(reader);
    void reader.closed.then(() => this.readers.delete(reader));
  }

  deliver(): void {
    for (const reader of this.readers) reader.catchUp();
  }

  get served(): readonly Stored[] {
    return this.entries.slice(0, this.entries.length - this.lagging);
  }

  /** The offset a reader begins at. */
  resolve(from: StreamOffset | undefined): number {
    const last = this.served.at(-1);
    if (typeof from === 'number') return from;
    if (from === 'first') return 0;
    if (from === 'last' && last) return this.served.find(({ chunk }) => chunk === last.chunk)?.offset ?? 0;
    return (last?.offset ?? -1) + 1;
  }
}

export class FakeStreamConnection extends FakeConnection implements BrokerConnection {
  private readonly appendChannels = new Set<StreamPublishChannel>();
  readonly declared: Array<[name: string, queueArguments: object]> = [];

  constructor(readonly stream: FakeStream) {
    super();
  }

  override lose(reason = 'gone'): void {
    super.lose(reason);
    for (const channel of this.appendChannels) channel.end(reason);
    this.appendChannels.clear();
  }

  override async declareQueue(name = '', queueArguments: object = {}): Promise<void> {
    this.assertOpen();
    this.declared.push([name, queueArguments]);
    this.stream.isDeclared = true;
  }

  override async openPublishChannel(): Promise<PublishChannel> {
    await this.beforeOpen();
    this.assertOpen();
    const channel = new StreamPublishChannel(this.stream);
    this.appendChannels.add(channel);
    return channel;
  }

  override async openConsumeChannel(): Promise<ConsumeChannel> {
    await this.beforeOpen();
    this.assertOpen();
    const channel = new StreamConsumeChannel(this.stream);
    this.consumeChannels.push(channel);
    return channel;
  }

  private assertOpen(): void {
    if (this.state.kind !== 'open') throw new Error('no connection at the moment');
  }
}

class StreamPublishChannel implements PublishChannel {
  isOpen = true;
  readonly closed: Promise<string>;
  private resolveClosed: (reason: string) => void = () => undefined;
  private readonly unanswered = new Set<PendingPublish>();

  constructor(private readonly stream: FakeStream) {
    this.closed = new Promise((resolve) => (this.resolveClosed = resolve));
  }

  publish(message: OutgoingMessage, pending: PendingPublish): void {
    this.unanswered.add(pending);
    void Promise.resolve().then(() => this.store(message, pending));
  }

  async idle(): Promise<void> {}

  async close(): Promise<void> {
    this.end('channel closed');
  }

  end(reason: string): void {
    this.isOpen = false;
    this.resolveClosed(reason);
    for (const pending of this.unanswered) this.answer(pending, 'lost');
  }

  private store(message: OutgoingMessage, pending: PendingPublish): void {
    if (!this.isOpen) return;
    if (!this.stream.isDeclared) return this.answer(pending, 'returned');
    const fate = this.stream.fate(message);
    if (fate === 'acked' || fate.startsWith('stored')) this.stream.append(message.body);
    if (fate === 'stored-and-lost') this.answer(pending, 'lost');
    else if (fate !== 'silent' && fate !== 'stored-and-silent') this.answer(pending, fate);
  }

  private answer(pending: PendingPublish, answer: ConfirmAnswer): void {
    if (this.unanswered.delete(pending)) pending.answered(answer);
  }
}

class StreamConsumeChannel extends FakeConsumeChannel {
  private next: number | undefined;
  private pumping: Promise<void> = Promise.resolve();

  constructor(private readonly stream: FakeStream) {
    super();
  }

  override async consume(request: ConsumeRequest): Promise<void> {
    if (!this.stream.isDeclared) throw new Error('404 no such queue');
    if (request.prefetch < 1) throw new Error('406 a stream needs a prefetch');
    await super.consume(request);
    this.next = this.stream.resolve(request.streamOffset);
    this.stream.attach(this);
    void settled().then(() => this.catchUp());
  }

  /** Answered after what was on its way to a consumer of this channel. */
  override async cancel(): Promise<void> {
    await settled();
    await this.pumping;
  }

  catchUp(): void {
    this.pumping = this.pumping.then(() => this.pump());
  }

  /** One after another, with time for others to act in between. */
  private async pump(): Promise<void> {
    for (const { offset, body } of this.stream.served) {
      if (!this.isOpen || this.next === undefined || offset < this.next) continue;
      this.next = offset + 1;
      this.deliver({ body, headers: { [STREAM_OFFSET]: offset } });
      for (let turn = 0; turn < TURNS_BETWEEN; turn++) await Promise.resolve();
    }
  }
}
