import { EventEmitter } from 'node:events';
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
  'consumer.started': { queue: string; prefetch: number; concurrency: number };
  'consumer.lost': { queue: string; reason: string; retryInMs: number };
  'consumer.stopped': { queue: string };
  'attempt.failed': { queue: string; messageId: string; attempt: number; retryInMs: number; error: unknown };
  'job.settled': JobSettled;
  'settle.failed': { queue: string; messageId: string; reason: string };
  'reply.lost': { queue: string; messageId: string; reason: string };
}

/** How a delivery ended; `expired` is dead-lettered for its deadline; `lost` means its channel died first, so the broker will deliver it again. */
export type JobEnd = 'succeeded' | 'dead-lettered' | 'expired' | 'returned' | 'lost';

export interface JobSettled {
  queue: string;
  messageId: string;
  end: JobEnd;
  attempt: number;
  serviceTimeMs: number;
  /** From the confirmed publish to the first attempt; undefined when the publisher did not stamp the message. */
  waitTimeMs: number | undefined;
  error?: unknown;
}

/** Typed event bus of one runtime. A listener that throws is the listener's defect and must not stop a stage. */
export class Telemetry {
  private readonly emitter = new EventEmitter();

  on<Name extends keyof TelemetryEvents>(
    name: Name,
    listener: (event: TelemetryEvents[Name]) => void,
  ): () => void {
    this.emitter.on(name, listener);
    return () => this.emitter.off(name, listener);
  }

  emit<Name extends keyof TelemetryEvents>(name: Name, event: TelemetryEvents[Name]): void {
    for (const listener of this.emitter.listeners(name)) {
      try {
        listener(event);
      } catch (error) {
        process.emitWarning(`telemetry listener of ${name} threw: ${describeThrown(error)}`);
      }
    }
  }
}
