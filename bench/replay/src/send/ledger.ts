import { LatencyHistogram } from '../latency-histogram.js';
import type { AttemptOutcome } from './attempt-outcome.js';
import type { Delivery } from './delivery.js';

/**
 * What became of every delivery. Each one that was sent ends once, so
 * accepted + rejected + unknown = sent when the send phase is over.
 */
export class Ledger {
  /** Delivery id to planned send time, in the order of acceptance. */
  readonly acceptedPlannedAtMs = new Map<string, number>();
  readonly rejectedIds: string[] = [];
  readonly unknownIds: string[] = [];
  readonly rejectedByReason = new Map<string, number>();
  readonly unknownByReason = new Map<string, number>();
  readonly timeTo202 = new LatencyHistogram();
  /** Of 503 answers that promise the work was not stored; one per attempt. */
  readonly timeTo503 = new LatencyHistogram();
  /** How late the generator itself took up a planned send. */
  readonly lateness = new LatencyHistogram();
  sent = 0;
  attempts = 0;
  /** Due, but without a free connection until the send phase was over. */
  unsent = 0;
  maxWaitingForConnection = 0;

  recordAttempt(delivery: Delivery): void {
    this.attempts += 1;
    if (delivery.attempts === 1) this.sent += 1;
  }

  recordWaiting(waitingForConnection: number): void {
    this.maxWaitingForConnection = Math.max(this.maxWaitingForConnection, waitingForConnection);
  }

  /** `latencyMs` counts from when the attempt was due, not from when it was sent. */
  recordAnswer(outcome: AttemptOutcome, latencyMs: number): void {
    if (outcome.kind === 'accepted') this.timeTo202.recordMs(latencyMs);
    if (outcome.kind === 'rejected' && outcome.isShed) this.timeTo503.recordMs(latencyMs);
  }

  recordEnd({ id, plannedAtMs, standing }: Delivery): void {
    switch (standing?.kind) {
      case undefined:
        this.unsent += 1;
        return;
      case 'accepted':
        this.acceptedPlannedAtMs.set(id, plannedAtMs);
        return;
      case 'rejected':
        this.rejectedIds.push(id);
        return addOne(this.rejectedByReason, standing.reason);
      case 'unknown':
        this.unknownIds.push(id);
        return addOne(this.unknownByReason, standing.reason);
      default:
        standing satisfies never;
    }
  }

  get accepted(): number {
    return this.acceptedPlannedAtMs.size;
  }

  get rejected(): number {
    return this.rejectedIds.length;
  }

  get unknown(): number {
    return this.unknownIds.length;
  }
}

function addOne(counts: Map<string, number>, reason: string): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
}
