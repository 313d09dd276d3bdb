import { describeThrown } from '../errors/describe-thrown.js';

/** Every event the stages emit: name -> what it carries. Durations in milliseconds. */
export interface TelemetryEvents {
  'connection.opened': { connection: string };
  'connection.lost': { connection: string; reason: string; attempt: number; retryInMs: number };
  'connection.blocked': { connection: string; reason: string };
  'connection.unblocked': { connection: string };
  'queue.ready': { queue: string; wasCreated: boolean; maxLength: number; explanation: string };
  'queue.check-failed': { queue: string; reason: string };
  'publish.accepted': { queue: string; messageId: string; confirmMs: number };
  'publish.refused': { queue: string; messageId: string; reason: string; detail: string };
  /** Subscribed to a queue, the due queue included; again after each change of its prefetch. */
  'consumer.started': { queue: string; prefetch: number };
  'consumer.resized': {
    queue: string;
    prefetch: number;
    concurrency: number;
    ratePerSec: number | undefined;
  };
  'consumer.paused': { queue: string };
  'consumer.resumed': { queue: string };
  'consumer.lost': { queue: string; reason: string; retryInMs: number };
  'consumer.stopped': { queue: string };
  /** Finished work whose acks were still to be written when the channel went: it will be done again. */
  'acks.lost': { queue: string; count: number };
  /** Failures one after another: one job at a time is tried from now on, and failures burn no attempts. */
  'breaker.opened': { queue: string; error: unknown };
  'breaker.closed': { queue: string };
  /** As much work waits for its next attempt as may: no new work is taken from the queue. */
  'waiting.full': { queue: string; waiting: number; maxWaiting: number };
  'waiting.drained': { queue: string; waiting: number; maxWaiting: number };
  /** A handler took longer than its timeout: its signal has aborted, and it keeps its place until it ends. */
  'handler.late': { queue: string; messageIds: readonly string[]; runningMs: number };
  /** A handler has not ended although its signal aborted that long ago; only the end of the process frees its place. */
  'handler.stuck': { queue: string; messageIds: readonly string[]; runningMs: number };
  'job.settled': JobSettled;
  'settle.failed': { queue: string; messageId: string; reason: string };
  'reply.lost': { queue: string; messageId: string; reason: string };
  /** The plan log was read to its end and is followed from there; `offset` is that of the plan, if there is one. */
  'plan.following': { stream: string; offset: number | undefined };
  /** The plan that was known stays in force, and changes made elsewhere are not heard of. */
  'plan.lost': { stream: string; reason: string; retryInMs: number };
  /** Another plan is in force. */
  'plan.changed': {
    stream: string;
    offset: number;
    id: string;
    author: string;
    reason: string;
    change: string;
  };
  /** Something in the plan log that nobody can read; it counts as nothing. */
  'plan.ignored': { stream: string; offset: number; reason: string };
  /** The plan log is empty; the plan that was known stays in force and is the base of the next change. */
  'plan.kept': { stream: string; offset: number; id: string };
  /** The plan in the log does not come after the one that was known: another log, or one that lost its end. */
  'plan.replaced': {
    stream: string;
    reason: 'new-log' | 'rewound';
    knownOffset: number;
    offset: number;
  };
  /** The plan on disk could not be read or written; all that comes of it is a start without it. */
  'plan.cache-failed': { path: string; reason: string };
}

/**
 * How a delivery ended. `retried` and `deferred` come again later, with and without an attempt counted; `set-aside`
 * comes again with a start on record; `expired` is dead-lettered for its deadline; `lost` means its channel died first, so the
 * broker will deliver it again: what had succeeded is then done twice.
 */
export type JobEnd =
  | 'succeeded'
  | 'dropped'
  | 'retried'
  | 'deferred'
  | 'dead-lettered'
  | 'expired'
  | 'set-aside'
  | 'returned'
  | 'lost';

export interface JobSettled {
  queue: string;
  messageId: string;
  end: JobEnd;
  /** Attempts of this work that were made, over all processes. */
  attempt: number;
  /** Undefined when the handler was not called. */
  serviceTimeMs: number | undefined;
  /** When it will be tried again; for `retried` and `deferred` only. */
  retryInMs: number | undefined;
  /** From the publish to this delivery's start; undefined when the publisher did not stamp the message. */
  waitTimeMs: number | undefined;
  error?: unknown;
}

type Listener = (event: never) => void;

/** Typed event bus of one runtime. A listener that throws is the listener's defect and must not stop a stage. */
export class Telemetry {
  /** Replaced when somebody comes or goes: events are many, and none of them should cost a copy. */
  private readonly listeners = new Map<keyof TelemetryEvents, readonly Listener[]>();

  /** @returns how to stop listening */
  on<Name extends keyof TelemetryEvents>(
    name: Name,
    listener: (event: TelemetryEvents[Name]) => void,
  ): () => void {
    // Each `on` counts for itself, also of the same function.
    const own: Listener = (event) => listener(event);
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), own]);
    return () =>
      this.listeners.set(
        name,
        (this.listeners.get(name) ?? []).filter((other) => other !== own),
      );
  }

  emit<Name extends keyof TelemetryEvents>(name: Name, event: TelemetryEvents[Name]): void {
    const listeners = this.listeners.get(name);
    if (!listeners) return;
    for (const listener of listeners) {
      try {
        // What is kept under a name was given for it.
        (listener as (event: TelemetryEvents[Name]) => void)(event);
      } catch (error) {
        process.emitWarning(`telemetry listener of ${name} threw: ${describeThrown(error)}`);
      }
    }
  }
}
