/** Two moments of a shut gate are at least this far from each other when it probes with a new channel. */
const NEW_CHANNEL_INTERVAL_MS = 500;
/** A probe that has not ended by then is given up for another; the first may still open the gate. */
const PROBE_LEASE_MS = 1_000;

/** Leave to publish one message. End it exactly once: `accepted`, `shut` or `inconclusive`. */
export interface Permit {
  /** It looks whether the queue takes messages again. */
  readonly isProbe: boolean;
  /** The probe has to go through a channel on which nothing was refused yet. */
  readonly isOnNewChannel: boolean;
  /** Counts the gate's changes; what a permit of an earlier state learns is no news. */
  readonly epoch: number;
}

type State =
  | { readonly kind: 'open' }
  | {
      readonly kind: 'shut';
      probeAt: number;
      newChannelAt: number;
      probe: Permit | undefined;
      leaseEndsAt: number;
    }
  | { readonly kind: 'reopening'; limit: number; outstanding: number };

const OPEN: State = { kind: 'open' };

/**
 * Keeps publishes from a queue that refuses them: a nack costs the broker as much as an accepted message, and a full
 * queue that is hammered loses most of its throughput.
 *
 * open --nack--> shut --probe accepted--> reopening --as many accepted as the window has--> open
 * shut --probe nacked or inconclusive--> shut ; reopening --nack--> shut
 *
 * Shut, it lets through one real message at a time, no sooner than `probeDelayMs` after the last; an accepted one
 * starts a slow start: one outstanding message, and one more with each that is accepted. It cannot stick: whatever
 * happens to a probe, another is let through a lease later. Gateways need not know of each other, each probes.
 */
export class Gate {
  private state: State = OPEN;
  private epoch = 0;
  private openPermit: Permit = { isProbe: false, isOnNewChannel: false, epoch: 0 };

  /**
   * @param window unconfirmed publishes of this process: where the slow start ends
   * @param refusesByChannel a quorum queue: a channel that was refused stays so until the queue has drained to 80 %,
   *   also when the limit was raised; every so often a probe must go through a new channel
   */
  constructor(
    private readonly window: number,
    private readonly refusesByChannel: boolean,
  ) {}

  get isOpen(): boolean {
    return this.state.kind === 'open';
  }

  get isShut(): boolean {
    return this.state.kind === 'shut';
  }

  /** Opening slowly, and as many are on their way as may be. */
  get isTaken(): boolean {
    const { state } = this;
    return state.kind === 'reopening' && state.outstanding >= state.limit;
  }

  /** Undefined: shed. */
  enter(now: number): Permit | undefined {
    const { state } = this;
    switch (state.kind) {
      case 'open':
        return this.openPermit;
      case 'shut':
        return this.isProbeDue(now) ? this.probe(state, now) : undefined;
      case 'reopening':
        if (this.isTaken) return undefined;
        state.outstanding++;
        return this.openPermit;
    }
  }

  /** Shut, and the next message would be let through as a probe. */
  isProbeDue(now: number): boolean {
    const { state } = this;
    if (state.kind !== 'shut') return false;
    return now >= state.probeAt && (!state.probe || now >= state.leaseEndsAt);
  }

  /** The broker stored it. */
  accepted(permit: Permit): void {
    const { state } = this;
    if (permit.isProbe && state.kind === 'shut') this.become({ kind: 'reopening', limit: 2, outstanding: 0 });
    else if (state.kind === 'reopening' && permit.epoch === this.epoch) this.grow(state);
  }

  /** The broker refused it. @param probeDelayMs how long to shed before looking again */
  shut(permit: Permit, now: number, probeDelayMs: number): void {
    const { state } = this;
    const probeAt = now + probeDelayMs;
    if (state.kind !== 'shut') {
      const newChannelAt = now + NEW_CHANNEL_INTERVAL_MS;
      this.become({ kind: 'shut', probeAt, newChannelAt, probe: undefined, leaseEndsAt: 0 });
    } else if (permit === state.probe) Object.assign(state, { probe: undefined, probeAt });
  }

  /** Neither: no slot, no connection, silence. */
  inconclusive(permit: Permit, now: number, probeDelayMs: number): void {
    const { state } = this;
    if (state.kind === 'shut' && permit === state.probe)
      Object.assign(state, { probe: undefined, probeAt: now + probeDelayMs });
    else if (state.kind === 'reopening' && permit.epoch === this.epoch) state.outstanding--;
  }

  private probe(state: Extract<State, { kind: 'shut' }>, now: number): Permit {
    const isOnNewChannel = this.refusesByChannel && now >= state.newChannelAt;
    if (isOnNewChannel) state.newChannelAt = now + NEW_CHANNEL_INTERVAL_MS;
    const probe = { isProbe: true, isOnNewChannel, epoch: this.epoch };
    Object.assign(state, { probe, leaseEndsAt: now + PROBE_LEASE_MS });
    return probe;
  }

  private grow(state: Extract<State, { kind: 'reopening' }>): void {
    state.outstanding--;
    state.limit++;
    if (state.limit >= this.window) this.become(OPEN);
  }

  private become(state: State): void {
    this.state = state;
    this.epoch++;
    this.openPermit = { isProbe: false, isOnNewChannel: false, epoch: this.epoch };
  }
}
