import type { ConsumeChannel, IncomingMessage } from '../broker/broker.port.js';
import { countIn, HEADERS } from '../message/headers.js';

/**
 * Where a handler's work comes from: its queue, the due queue with what is to be tried again, or that of what may have
 * killed its process and runs alone.
 */
export type Lane = 'work' | 'due' | 'alone';

/** The channel that delivered, shared by all its deliveries. */
export interface DeliverySource {
  readonly lane: Lane;
  readonly channel: ConsumeChannel;
  /** Aborts when there is no point in beginning anything more: we stop, or the channel is gone. */
  readonly ending: AbortSignal;
}

/** One delivered message and the only channel it can be settled on. Settled at most once. */
export class Delivery {
  /** `performance.now()` */
  readonly receivedAt = performance.now();
  private isSettled = false;

  constructor(
    readonly message: IncomingMessage,
    readonly source: DeliverySource,
    /**
     * It was out before and this process does not know what became of it: it may have killed the process that had it.
     */
    readonly isSuspect: boolean,
    /** Called when it goes back to the queue, by whomever. */
    private readonly goesBack: (delivery: Delivery) => void = () => undefined,
  ) {}

  get lane(): Lane {
    return this.source.lane;
  }

  /** Starts that came to no end are on record for it. */
  get isSetAside(): boolean {
    return this.runsAlone || countIn(this.message.headers, HEADERS.starts) > 0;
  }

  /** It has been set aside as a suspect, twice at least: should it kill this process too, nobody goes down with it. */
  get runsAlone(): boolean {
    return this.lane === 'alone';
  }

  /** Nothing is to be begun with it: we stop, or it could not be settled any more and comes again. */
  get isOver(): boolean {
    return this.source.ending.aborted || !this.source.channel.isOpen;
  }

  get canSettle(): boolean {
    return !this.isSettled && this.source.channel.isOpen;
  }

  /** False when the channel died first (the broker delivers it again) or it was settled before. */
  ack(): boolean {
    return this.claim() && this.source.channel.ack(this.message.deliveryTag);
  }

  /** Back to the queue without blame. False as for `ack`. */
  giveBack(): boolean {
    if (!this.claim()) return false;
    this.goesBack(this);
    return this.source.channel.giveBack(this.message.deliveryTag);
  }

  private claim(): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    return true;
  }
}
