import { setTimeout as delay } from 'node:timers/promises';
import type {
  BrokerConnection,
  ConfirmAnswer,
  OutgoingMessage,
  PublishChannel,
  QueueReading,
} from '../broker/broker.port.js';
import type { RefusalReason } from '../errors/work-queue.error.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { withinDeadline } from '../timing/within-deadline.js';
import { ConfirmWindow } from './confirm-window.js';
import { decidePublish, type PublishEnd, type PublishTarget } from './publish-decision.js';
import { toError } from './refusal.js';

export interface PublisherOptions {
  /** How long a publish may wait for a slot of the window, milliseconds. */
  readonly slotWaitMs: number;
  /** How long the broker may take to confirm before the outcome is called unknown, milliseconds. */
  readonly confirmTimeoutMs: number;
  /** Largest body, bytes. The broker answers a larger one by closing the channel. */
  readonly maxMessageBytes: number;
}

/** Publishes that may wait for a slot at a time, in windows: what is more is refused at once. */
const WAITERS_PER_SLOT = 10;
const REOPEN_DELAY_MS = 200;
/** A passive declare takes less than a millisecond; whoever waits for an answer has waited for the confirm already. */
const READING_TIMEOUT_MS = 1_000;

/** Publishes to one queue on a confirm channel of its own; resolves when stored, throws a typed error when not. */
export class Publisher {
  private readonly window: ConfirmWindow;
  private readonly closing = new AbortController();
  private channel: PublishChannel | undefined;
  private reading: Promise<QueueReading | undefined> | undefined;
  private isUnanswered = false;

  constructor(
    private readonly connection: BrokerConnection,
    private target: PublishTarget,
    private readonly options: PublisherOptions,
    private readonly telemetry: Telemetry,
  ) {
    this.window = new ConfirmWindow(target.window, target.window * WAITERS_PER_SLOT);
  }

  get isOpen(): boolean {
    return this.channel?.isOpen === true;
  }

  /** A publish passed its confirm deadline, and the broker has answered none since. */
  get isSilent(): boolean {
    return this.isUnanswered;
  }

  /** The limit in force was found to be another: an operator's policy caps it, or it was changed. */
  limitChanged(maxLength: number): void {
    this.target = { ...this.target, maxLength };
  }

  /** Opens the channel and keeps one open from now on. */
  async open(): Promise<void> {
    this.channel = await this.connection.openPublishChannel();
    void this.supervise(this.channel);
  }

  async publish(message: OutgoingMessage): Promise<void> {
    const startedAt = performance.now();
    this.usableChannel(message);
    if (!(await this.window.acquire(this.options.slotWaitMs))) this.refuse(message, { at: 'window' });
    const channel = this.channelForSlot(message);
    const answer = await this.answerOf(channel, message);
    if (answer !== 'acked')
      this.refuse(message, { at: 'broker', answer, reading: await this.readingAfter(answer) });
    const confirmMs = performance.now() - startedAt;
    this.telemetry.emit('publish.accepted', {
      queue: this.target.name,
      messageId: message.messageId,
      confirmMs,
    });
  }

  /** Refuses new publishes, waits for outstanding confirms until the deadline, closes the channel. */
  async close(deadlineMs: number): Promise<void> {
    this.closing.abort();
    await withinDeadline(this.window.idle(), deadlineMs, undefined);
    if (this.channel?.isOpen && this.connection.state.kind === 'open') await this.channel.close();
  }

  private usableChannel(message: OutgoingMessage): PublishChannel {
    if (message.body.length > this.options.maxMessageBytes) {
      this.throwRefusal(
        message,
        'too-large',
        `${message.body.length} bytes, the limit is ${this.options.maxMessageBytes}`,
      );
    }
    const { kind } = this.connection.state;
    const channel = this.channel;
    if (kind === 'open' && channel?.isOpen && !this.closing.signal.aborted) return channel;
    return this.refuse(message, { at: 'connection', state: this.closing.signal.aborted ? 'closed' : kind });
  }

  /** The connection may have gone while we waited for the slot; then nothing was sent. */
  private channelForSlot(message: OutgoingMessage): PublishChannel {
    try {
      return this.usableChannel(message);
    } catch (refusal) {
      this.window.release();
      throw refusal;
    }
  }

  /** The slot goes back when the broker answers, which may be long after the deadline. */
  private async answerOf(
    channel: PublishChannel,
    message: OutgoingMessage,
  ): Promise<ConfirmAnswer | 'silence'> {
    const answered = this.send(channel, message);
    void answered.then(() => {
      this.isUnanswered = false;
      this.window.release();
    });
    const answer = await withinDeadline<ConfirmAnswer | 'silence'>(
      answered,
      this.options.confirmTimeoutMs,
      'silence',
    );
    this.isUnanswered ||= answer === 'silence';
    return answer;
  }

  /** A message that cannot be encoded (a header AMQP has no type for) throws, and takes no slot with it. */
  private send(channel: PublishChannel, message: OutgoingMessage): Promise<ConfirmAnswer> {
    try {
      return channel.publish(message);
    } catch (error) {
      this.window.release();
      throw error;
    }
  }

  private async readingAfter(answer: ConfirmAnswer | 'silence'): Promise<QueueReading | undefined> {
    if (answer !== 'nacked') return undefined;
    // Many nacks at once share one look at the queue. A queue without a leader may never answer it.
    this.reading ??= withinDeadline(this.inspect(), READING_TIMEOUT_MS, undefined).finally(
      () => (this.reading = undefined),
    );
    return this.reading;
  }

  private inspect(): Promise<QueueReading | undefined> {
    return this.connection.inspectQueue(this.target.name).catch(() => undefined);
  }

  private refuse(message: OutgoingMessage, end: PublishEnd): never {
    const decision = decidePublish(end, this.target);
    if (decision.accepted) throw new Error(`a publish that ended at ${end.at} was taken for accepted`);
    const wasSilent = end.at === 'broker' && end.answer === 'silence';
    this.throwRefusal(message, decision.reason, this.because(end), decision.retryAfterMs, wasSilent);
  }

  private throwRefusal(
    message: OutgoingMessage,
    reason: RefusalReason,
    because: string,
    retryAfterMs?: number,
    wasSilent?: boolean,
  ): never {
    const { messageId } = message;
    this.telemetry.emit('publish.refused', { queue: this.target.name, messageId, reason, detail: because });
    throw toError({ queue: this.target.name, messageId, reason, because, retryAfterMs, wasSilent });
  }

  private because(end: PublishEnd): string {
    switch (end.at) {
      case 'connection':
        return describeConnection(this.connection.state, this.closing.signal.aborted);
      case 'window':
        return `${this.window.outstanding} of ${this.window.capacity} unconfirmed, waited ${this.options.slotWaitMs} ms`;
      case 'broker':
        return this.describeAnswer(end);
    }
  }

  private describeAnswer(end: Extract<PublishEnd, { at: 'broker' }>): string {
    if (end.answer === 'silence') return `no confirm within ${this.options.confirmTimeoutMs} ms`;
    if (end.answer === 'lost') return 'the connection went away before the confirm';
    if (end.answer === 'returned') return 'returned by the broker: no such queue';
    if (!end.reading) return 'refused, and its depth cannot be read';
    return `${end.reading.readyMessages} ready, limit ${this.target.maxLength}, ${end.reading.consumers} consumers`;
  }

  private async supervise(first: PublishChannel): Promise<void> {
    const { signal } = this.closing;
    let channel: PublishChannel | undefined = first;
    for (;;) {
      await channel?.closed;
      if (signal.aborted) return;
      channel = await this.reopen(signal);
      this.channel = channel;
    }
  }

  private async reopen(signal: AbortSignal): Promise<PublishChannel | undefined> {
    try {
      await this.connection.whenOpen(signal);
      const channel = await this.connection.openPublishChannel();
      if (!signal.aborted) return channel;
      await channel.close();
    } catch {
      // The connection went away again, or we are closing; the loop looks once more.
      await delay(REOPEN_DELAY_MS, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  }
}

function describeConnection(state: BrokerConnection['state'], isClosing: boolean): string {
  if (isClosing) return 'this process is shutting down';
  if (state.kind === 'blocked') return `blocked: ${state.reason}`;
  // Why is in the log; an address of ours is nothing for the clients who get to read this.
  if (state.kind === 'waiting') return 'connection lost';
  return state.kind === 'open' ? 'the channel is being opened' : `connection ${state.kind}`;
}
