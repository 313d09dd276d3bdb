import type {
  BrokerConnection,
  ConfirmAnswer,
  IncomingReply,
  OutgoingMessage,
  PublishChannel,
} from '../broker/broker.port.js';
import { describeThrown } from '../errors/describe-thrown.js';
import { remembered } from '../timing/remembered.js';
import { withinDeadline } from '../timing/within-deadline.js';
import { ConfirmWindow, type WindowSize } from './confirm-window.js';
import { Outstanding, type OutstandingPublish, type WaitEnd } from './outstanding.js';
import type { PublishEnd } from './publish-decision.js';
import { PublishLane } from './publish-lane.js';

export interface PublisherOptions {
  /** How long a publish may wait for a slot of the window, milliseconds. */
  readonly slotWaitMs: number;
  /** How long the broker may take to confirm before the outcome is called unknown, milliseconds. */
  readonly confirmTimeoutMs: number;
  /** Largest body, bytes. The broker answers a larger one by closing the channel. */
  readonly maxMessageBytes: number;
}

/** What the lane for calls is opened with. */
export interface ReplyListener {
  onReply(reply: IncomingReply): void;
  onLost(channel: PublishChannel): void;
}

/** What is special about one publish. */
export interface PublishVia {
  /** Nothing that was refused was refused on the channel it goes through. */
  readonly isOnNewChannel?: boolean;
  /** It is a call: its channel has an address for replies and stays until this resolves. */
  readonly call?: { readonly over: Promise<unknown>; readonly onChannel: (channel: PublishChannel) => void };
}

/** Opening a channel takes a millisecond or two; a caller of a broker that hangs must not hang with it. */
const CHANNEL_TIMEOUT_MS = 1_000;

const NO_SLOT: PublishEnd = { at: 'window' };
const ACKED: PublishEnd = { at: 'broker', answer: 'acked' };

/**
 * Publishes to one queue on confirm channels of its own and tells how each publish ended; never rejects. Nothing is
 * kept for later: without an open channel a publish ends at once.
 */
export class Publisher {
  readonly window: ConfirmWindow;
  private readonly outstanding: Outstanding;
  private readonly lane: PublishLane;
  private readonly callLane: PublishLane;
  /** By the first call: most publishers have none. */
  private readonly openCallLane = remembered(() => this.callLane.open());
  private readonly stopListening: () => void;

  constructor(
    private readonly connection: BrokerConnection,
    windowSize: WindowSize,
    private readonly options: PublisherOptions,
    replies?: ReplyListener,
  ) {
    this.window = new ConfirmWindow(windowSize);
    this.outstanding = new Outstanding(options.confirmTimeoutMs);
    this.lane = new PublishLane(connection);
    this.callLane = new PublishLane(connection, { onReply: (reply) => replies?.onReply(reply) }, (channel) =>
      replies?.onLost(channel),
    );
    // A blocked broker reads nothing and says nothing until its alarm is over.
    this.stopListening = connection.onStateChange(({ kind }) => {
      if (kind === 'blocked') this.outstanding.giveUp();
    });
  }

  get isOpen(): boolean {
    return this.lane.channel !== undefined;
  }

  /** A publish passed its confirm deadline, and the broker has answered none since. */
  get isSilent(): boolean {
    return this.outstanding.isSilent;
  }

  /** Opens the channel and keeps one open from now on. */
  async open(): Promise<void> {
    await this.lane.open();
  }

  /** How a publish would end now without anything sent; undefined when it can be tried. */
  get unusable(): PublishEnd | undefined {
    const { kind } = this.connection.state;
    if (kind === 'open' && this.lane.channel) return undefined;
    return { at: 'connection', state: this.lane.isClosing ? 'closed' : kind };
  }

  /** As `unusable`, for this message. */
  unsendable({ body }: OutgoingMessage): PublishEnd | undefined {
    const { maxMessageBytes: maxBytes } = this.options;
    return body.length > maxBytes ? { at: 'size', bytes: body.length, maxBytes } : this.unusable;
  }

  publish(message: OutgoingMessage, via?: PublishVia): Promise<PublishEnd> {
    const unsendable = this.unsendable(message);
    if (unsendable) return Promise.resolve(unsendable);
    const { channel } = this.lane;
    // Most publishes end here: one promise, no wait but for the broker.
    if (channel && !via && this.window.tryAcquire(message.body.length)) return this.send(channel, message);
    return this.publishLater(message, via);
  }

  /** Refuses new publishes, waits until the deadline for those that callers wait for, closes the channels. */
  async close(deadlineMs: number): Promise<void> {
    this.lane.stop();
    this.callLane.stop();
    await withinDeadline(this.outstanding.idle(), deadlineMs, undefined);
    this.stopListening();
    this.outstanding.close();
    await Promise.all([this.lane.close(), this.callLane.close()]);
  }

  /** With a wait for a slot or a channel before it. */
  private async publishLater(message: OutgoingMessage, via: PublishVia | undefined): Promise<PublishEnd> {
    const bytes = message.body.length;
    if (!(await this.window.acquire(bytes, this.options.slotWaitMs))) return this.unusable ?? NO_SLOT;
    const lane = await this.laneFor(via);
    const channel = lane?.channel;
    if (!lane || !channel || this.unusable) {
      // Nothing was sent.
      this.window.release(bytes);
      return this.unusable ?? { at: 'connection', state: 'open' };
    }
    if (via?.call) {
      lane.keep(channel, via.call.over);
      via.call.onChannel(channel);
    }
    return this.send(channel, message);
  }

  /** Undefined when the connection went, or the broker does not open a channel in time; it is used when it does. */
  private laneFor(via: PublishVia | undefined): Promise<PublishLane | undefined> {
    const prepared = this.prepareLane(via).catch(() => undefined);
    return via ? withinDeadline(prepared, CHANNEL_TIMEOUT_MS, undefined) : prepared;
  }

  private async prepareLane(via: PublishVia | undefined): Promise<PublishLane> {
    const lane = via?.call ? this.callLane : this.lane;
    if (via?.call) await this.openCallLane();
    if (via?.isOnNewChannel) await Promise.all(this.openLanes.map((open) => open.renew()));
    return lane;
  }

  /** What was refused on one channel will be on the other. */
  private get openLanes(): PublishLane[] {
    return [this.lane, this.callLane].filter(({ channel }) => channel !== undefined);
  }

  private send(channel: PublishChannel, message: OutgoingMessage): Promise<PublishEnd> {
    return new Promise((resolve) => {
      const publish = new SentPublish(
        this,
        message,
        performance.now() + this.options.confirmTimeoutMs,
        resolve,
      );
      this.outstanding.add(publish);
      try {
        channel.publish(message, publish);
      } catch (error) {
        // What AMQP cannot carry is found while encoding; nothing was written.
        this.outstanding.forget(publish);
        this.window.release(publish.bytes);
        resolve({ at: 'encoding', problem: describeThrown(error) });
      }
    });
  }

  /** The slot goes back when the broker answers, which may be long after the deadline. */
  answered(publish: OutstandingPublish, answer: ConfirmAnswer): void {
    this.window.release(publish.bytes);
    this.outstanding.settle(publish, answer);
  }
}

/** A publish on its way. There are many at a time: one object each, and no functions of their own. */
class SentPublish implements OutstandingPublish {
  readonly messageId: string;
  readonly bytes: number;

  constructor(
    private readonly publisher: Publisher,
    message: OutgoingMessage,
    readonly deadline: number,
    private readonly resolveEnd: (end: PublishEnd) => void,
  ) {
    this.messageId = message.messageId;
    this.bytes = message.body.length;
  }

  answered(answer: ConfirmAnswer): void {
    this.publisher.answered(this, answer);
  }

  resolve(end: WaitEnd): void {
    this.resolveEnd(end === 'acked' ? ACKED : { at: 'broker', answer: end });
  }
}
