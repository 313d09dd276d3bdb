/** What a worker says of itself, to whoever coordinates. */
export interface Heartbeat {
  readonly workerId: string;
  /** Unique for each start of the worker's process. */
  readonly epoch: string;
  /** Counts the heartbeats of an epoch from 1. */
  readonly sequence: number;
  /** The highest term it has taken a grant of; 0 for none. It takes none of a lower one any more. */
  readonly term: number;
  /** The heartbeat that its last grant of that term answered; 0 for none. */
  readonly answers: number;
  /** What its lease gives it; 0 without a valid one. */
  readonly share: number;
  /** Handlers running. */
  readonly running: number;
  /** The most it could take: its own concurrency, and 0 when it takes nothing. */
  readonly capacity: number;
  /** It starts nothing and takes no grant any more. */
  readonly isLeaving: boolean;
}

/** The answer to a heartbeat: a lease of a share of the budget. */
export interface Grant {
  readonly workerId: string;
  readonly epoch: string;
  readonly term: number;
  /** Sequence number of the heartbeat answered; the lease counts from when that was sent. */
  readonly answers: number;
  readonly share: number;
  /** False: the worker keeps what it has, at most `share`. */
  readonly mayRaise: boolean;
}

/** The same for all workers and coordinators of a queue. Milliseconds. */
export interface FleetTiming {
  /**
   * Between two heartbeats. Too low: many messages. Too high: changes take long, each about two of these. A third
   * of the lease or less, or a lost message stops a worker.
   */
  readonly heartbeatIntervalMs: number;
  /** How long a share is good for. Too low: workers pause at every hiccup. Too high: a dead one's share lies idle. */
  readonly leaseMs: number;
  /**
   * From the start of a handler until it has ended or its process has: `timeout` + `timeoutGrace` + the time that
   * the process then takes to end. Too low breaks the budget; too high only makes a silent worker's share wait.
   */
  readonly handlerDeadlineMs: number;
}
