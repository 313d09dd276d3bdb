import type { FleetTiming, Grant, Heartbeat } from './fleet-messages.js';

/** Clocks of two processes: rates from 0.99 to 1.01 of the true one. */
const CLOCK_RATES_RATIO = 1.01 / 0.99;

/** Since a heartbeat came: after it, no lease that answered it is valid on any worker's clock. */
function leaseEndsInMs({ leaseMs }: FleetTiming): number {
  return CLOCK_RATES_RATIO * leaseMs;
}

/**
 * Since a heartbeat came: after it, no handler runs that started under a lease that answered it. Moreover two
 * leases long at least, so that a coordinator that was replaced frees nobody's share while it can still give it
 * away: by then its last leases are over.
 */
export function silentEndsInMs({ leaseMs, handlerDeadlineMs }: FleetTiming): number {
  return CLOCK_RATES_RATIO * (leaseMs + Math.max(leaseMs, handlerDeadlineMs));
}

/** A heartbeat, and when it came. */
export interface Heard {
  readonly sequence: number;
  readonly atMs: number;
}

interface Offer extends Heard {
  readonly share: number;
}

/** What one coordinator knows of one start of a worker: what that was offered and what it may make of it. */
export class WorkerAccount {
  /** The share it is to have; what it is offered at most, and it goes up only by what is free. */
  planned: number;
  private offers: Offer[] = [];
  /** No later one than the last answered, the newest last. */
  private unanswered: Heard[] = [];

  constructor(
    private readonly input: { readonly term: number; readonly timing: FleetTiming },
    private heartbeat: Heartbeat,
    private heardAtMs: number,
  ) {
    this.planned = heartbeat.share;
    this.take(heartbeat, heardAtMs);
  }

  get capacity(): number {
    return this.heartbeat.capacity;
  }

  /** It takes grants of this coordinator only, or of a later one. Never ends. */
  get isOurs(): boolean {
    return this.heartbeat.term === this.input.term;
  }

  /** What its lease gave it by its last heartbeat. */
  get held(): number {
    return this.heartbeat.share;
  }

  /** The most it may run from its last heartbeat on, whatever of the grants to it arrives. */
  get bound(): number {
    const { running, share } = this.heartbeat;
    return Math.max(running, share, ...this.offers.map((offer) => offer.share));
  }

  /** Heartbeats that come late or twice change nothing. */
  hear(heartbeat: Heartbeat, nowMs: number): void {
    if (heartbeat.sequence > this.heartbeat.sequence) this.take(heartbeat, nowMs);
  }

  isLive(nowMs: number): boolean {
    return !this.heartbeat.isLeaving && nowMs < this.heardAtMs + leaseEndsInMs(this.input.timing);
  }

  /** Its leases are over, and what it started under them as well. */
  isOver(nowMs: number): boolean {
    return nowMs >= this.heardAtMs + silentEndsInMs(this.input.timing);
  }

  /**
   * The last heartbeat that had come by then and has no answer, nor has a later one. Not only the very last, or who
   * always sends the next before the election's word comes would never have any.
   */
  unansweredBy(heardByMs: number): Heard | undefined {
    return this.unanswered.findLast(({ atMs }) => atMs <= heardByMs);
  }

  /** The planned share. */
  grant(heard: Heard): Grant {
    const answers = heard.sequence;
    this.unanswered = this.unanswered.filter(({ sequence }) => sequence > answers);
    this.offers.push({ ...heard, share: this.planned });
    const { workerId, epoch } = this.heartbeat;
    const { term } = this.input;
    return { workerId, epoch, term, answers, share: this.planned, mayRaise: this.isOurs };
  }

  private take(heartbeat: Heartbeat, nowMs: number): void {
    this.heartbeat = heartbeat;
    this.heardAtMs = nowMs;
    if (!this.isOurs) this.planned = heartbeat.share;
    const { sequence, answers, isLeaving } = heartbeat;
    const isUseful = ({ atMs }: Heard): boolean => nowMs < atMs + leaseEndsInMs(this.input.timing);
    this.unanswered = [...this.unanswered.filter(isUseful), { sequence, atMs: nowMs }];
    // It takes a grant only if that answers a later heartbeat than the one it goes by.
    const mayTake = (offer: Offer): boolean => !this.isOurs || offer.sequence > answers;
    // Not once its lease is over: this heartbeat can be older than what was started under it.
    const mayCount = ({ atMs }: Offer): boolean => nowMs < atMs + silentEndsInMs(this.input.timing);
    this.offers = isLeaving ? [] : this.offers.filter((offer) => mayTake(offer) && mayCount(offer));
  }
}
