import type { BrokerConnection, ConfirmAnswer, IncomingReply, OutgoingMessage } from '../broker/broker.port.js';
import { describeThrown } from '../errors/describe-thrown.js';
import { withinDeadline } from '../timing/within-deadline.js';
import { ConfirmWindow, type WindowSize } from './confirm-window.js';
import type { CountedChannel } from './counted-channel.js';
import { type GivenUp, Outstanding } from './outstanding.js';
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
  onLost(channel: CountedChannel): void;
}

/** What is special about one publish. */
export interface PublishVia {
  /** Nothing that was refused was refused on the channel it goes through. */
  readonly isOnNewChannel?: boolean;
  /** It is a call: its channel has an address for replies and stays until this resolves. */
  readonly call?: { readonly over: Promise<unknown>; readonly onChannel: (channel: CountedChannel) => void };
}

const NO_SLOT: PublishEnd = { at: 'window' };
const ACKED: PublishEnd = { at: 'broker', answer: 'acked' };
const ORDINARY: PublishVia = {};

/**
 * Publishes to one queue on confirm channels of its own and tells how each publish ended; never rejects. Nothing is
 * kept for later: without an open channel a publish ends at once.
 */
export class Publisher {
  readonly window: ConfirmWindow;
  private readonly outstanding: Outstanding<ConfirmAnswer>;
  private readonly lane: PublishLane;
  private callLane: Promise<PublishLane> | undefined;
  private readonly stopListening: () => void;

  constructor(
    private readonly connection: BrokerConnection,
    windowSize: WindowSize,
    private readonly options: PublisherOptions,
    private readonly replies?: ReplyListener,
  ) {
    this.window = new ConfirmWindow(windowSize);
    this.outstanding = new Outstanding(options.confirmTimeoutMs);
    this.lane = new PublishLane(connection);
    // A blocked broker reads nothing and says nothing until its alarm is over.
    this.stopListening = connection.onStateChange(({ kind }) => {
      if (kind === 'blocked') this.outstanding.giveUp('blocked');
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

  async publish(message: OutgoingMessage, via: PublishVia = ORDINARY): Promise<PublishEnd> {
    const bytes = message.body.length;
    const { maxMessageBytes, slotWaitMs } = this.options;
    if (bytes > maxMessageBytes) return { at: 'size', bytes, maxBytes: maxMessageBytes };
    const unusable = this.unusable;
    if (unusable) return unusable;
    if (!this.window.tryAcquire(bytes) && !(await this.window.acquire(bytes, slotWaitMs))) return NO_SLOT;
    const channel = via === ORDINARY ? this.lane.channel : await this.channelFor(via);
    // The connection may have gone while we waited; then nothing was sent.
    if (channel && !this.unusable) return this.send(channel, message, via);
    this.window.release(bytes);
    return this.unusable ?? { at: 'connection', state: 'open' };
  }

  /** Refuses new publishes, waits for outstanding confirms until the deadline, closes the channels. */
  async close(deadlineMs: number): Promise<void> {
    this.lane.stop();
    await withinDeadline(this.window.idle(), deadlineMs, undefined);
    this.stopListening();
    this.outstanding.close();
    const callLane = await this.callLane?.catch(() => undefined);
    await Promise.all([this.lane.close(), callLane?.close()]);
  }

  private async channelFor(via: PublishVia): Promise<CountedChannel | undefined> {
    try {
      const lane = via.call ? await this.openCallLane() : this.lane;
      if (via.isOnNewChannel) await lane.renew();
      return lane.channel;
    } catch {
      // The connection went away meanwhile.
      return undefined;
    }
  }

  private openCallLane(): Promise<PublishLane> {
    if (this.callLane) return this.callLane;
    const { replies } = this;
    const lane = new PublishLane(
      this.connection,
      { onReply: (reply) => replies?.onReply(reply) },
      (channel) => replies?.onLost(channel),
    );
    this.callLane = lane.open().then(() => lane);
    this.callLane.catch(() => (this.callLane = undefined));
    return this.callLane;
  }

  /** The slot goes back when the broker answers, which may be long after the deadline. */
  private send(channel: CountedChannel, message: OutgoingMessage, { call }: PublishVia): Promise<PublishEnd> {
    const bytes = message.body.length;
    return new Promise((resolve) => {
      const answer = this.outstanding.add((given) => resolve(toEnd(given)));
      try {
        channel.publish(message, (given) => {
          this.window.release(bytes);
          answer(given);
        });
      } catch (error) {
        // What AMQP cannot carry is found while encoding; nothing was written.
        this.window.release(bytes);
        resolve({ at: 'encoding', problem: describeThrown(error) });
        answer('lost');
        return;
      }
      if (!call) return;
      channel.keepUntil(call.over);
      call.onChannel(channel);
    });
  }
}

function toEnd(answer: ConfirmAnswer | GivenUp): PublishEnd {
  return answer === 'acked' ? ACKED : { at: 'broker', answer };
}
