import type { FleetTiming, Grant, Heartbeat } from './fleet-messages.js';

/** What the worker does and could do. */
export interface WorkerLoad {
  /** Handlers running now. */
  readonly running: number;
  /** Handlers that it could run at once: its own concurrency, and 0 when it is to take nothing. */
  readonly capacity: number;
}

export interface FleetLimit {
  /** Handlers that may run at once; what runs beyond it finishes. The worker's own concurrency holds beside it. */
  readonly limit: number;
  readonly reason: 'leased' | 'no lease' | 'leaving';
  /** When the limit becomes 0 unless a grant comes before; undefined when it already is. */
  readonly endsAtMs: number | undefined;
}

interface Lease {
  readonly term: number;
  readonly answers: number;
  readonly share: number;
  readonly endsAtMs: number;
}

/**
 * A worker's side of the fleet-wide budget; {@link FleetCoordinator} tells the protocol.
 *
 * no lease: nothing starts, heartbeats go on. A valid grant -> leased: up to its share run. A later grant replaces
 * it at once, up or down; when none has come until `leaseMs` after the heartbeat it answered was sent -> no lease.
 * {@link leave} -> leaving, for good: nothing starts, no grant is taken, heartbeats go on until the caller stops.
 *
 * Every time given is of one clock that never goes back and goes on while the process is stopped. The limit is to
 * be asked for with the time of each start, and the handler's deadline to count from that same time.
 */
export class FleetMember {
  private lease: Lease = { term: 0, answers: 0, share: 0, endsAtMs: Number.NEGATIVE_INFINITY };
  private readonly sentAtMs = new Map<number, number>();
  private last: Heartbeat | undefined;
  private nextAtMs = Number.NEGATIVE_INFINITY;
  private isLeaving = false;

  constructor(
    private readonly workerId: string,
    /** Unique for this start of the process. */
    private readonly epoch: string,
    private readonly timing: Pick<FleetTiming, 'heartbeatIntervalMs' | 'leaseMs'>,
  ) {}

  limitAt(nowMs: number): FleetLimit {
    if (this.isLeaving) return { limit: 0, reason: 'leaving', endsAtMs: undefined };
    const { share, endsAtMs } = this.lease;
    if (nowMs >= endsAtMs) return { limit: 0, reason: 'no lease', endsAtMs: undefined };
    return { limit: share, reason: 'leased', endsAtMs };
  }

  /** Whatever is not for this process, out of date or out of order is ignored. */
  receive(grant: Grant, nowMs: number): void {
    if (this.isLeaving || !this.isNext(grant)) return;
    const endsAtMs = (this.sentAtMs.get(grant.answers) ?? Number.NEGATIVE_INFINITY) + this.timing.leaseMs;
    if (nowMs >= endsAtMs) return;
    const { term, answers, mayRaise } = grant;
    const share = mayRaise ? grant.share : Math.min(grant.share, this.limitAt(nowMs).limit);
    this.lease = { term, answers, share, endsAtMs };
  }

  /**
   * What to send now; undefined when nothing is due. Call it after whatever changes the load, after each grant,
   * and at {@link nextHeartbeatAtMs} at the latest. It may get lost, or come late or twice.
   */
  heartbeat({ running, capacity }: WorkerLoad, nowMs: number): Heartbeat | undefined {
    const { workerId, epoch, isLeaving } = this;
    const { term, answers } = this.lease;
    const share = this.limitAt(nowMs).limit;
    const sequence = (this.last?.sequence ?? 0) + 1;
    const next = { workerId, epoch, sequence, term, answers, share, running, capacity, isLeaving };
    if (nowMs < this.nextAtMs && !isNews(next, this.last)) return undefined;
    this.sent(next, nowMs);
    return next;
  }

  /** When the next heartbeat is due if nothing happens; in the past before the first. */
  get nextHeartbeatAtMs(): number {
    return this.nextAtMs;
  }

  /** Before a shutdown. Its share is free for others as soon as a heartbeat tells that nothing runs. */
  leave(): void {
    this.isLeaving = true;
  }

  /** Of the highest term heard, and newer than the last of that term. */
  private isNext({ workerId, epoch, term, answers }: Grant): boolean {
    if (workerId !== this.workerId || epoch !== this.epoch) return false;
    return term === this.lease.term ? answers > this.lease.answers : term > this.lease.term;
  }

  private sent(heartbeat: Heartbeat, nowMs: number): void {
    for (const [sequence, sentAtMs] of this.sentAtMs) {
      if (nowMs >= sentAtMs + this.timing.leaseMs) this.sentAtMs.delete(sequence);
    }
    this.sentAtMs.set(heartbeat.sequence, nowMs);
    this.last = heartbeat;
    this.nextAtMs = nowMs + this.timing.heartbeatIntervalMs;
  }
}

/** Others wait to hear that a share has become free, and a new coordinator for the worker to obey it. */
function isNews(next: Heartbeat, last: Heartbeat | undefined): boolean {
  if (!last || next.term !== last.term || next.isLeaving !== last.isLeaving) return true;
  return next.running <= next.share && next.share < Math.max(last.running, last.share);
}
