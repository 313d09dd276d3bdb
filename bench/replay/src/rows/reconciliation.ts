import { LatencyHistogram } from '../latency-histogram.js';
import type { WrittenRow } from './row-store.port.js';

/** Sets the accepted ids against the rows: every accepted id must become a row. */
export class Reconciliation {
  /** From the planned send to the row's `recorded_at`. */
  readonly sojourn = new LatencyHistogram();
  /** Undefined until the first row. */
  lastRecordedAtEpochMs: number | undefined;
  private readonly missing: Map<string, number>;
  private readonly expected: number;

  /** @param plannedAtEpochMs accepted delivery id to planned send time, on the wall clock */
  constructor(plannedAtEpochMs: ReadonlyMap<string, number>) {
    this.missing = new Map(plannedAtEpochMs);
    this.expected = plannedAtEpochMs.size;
  }

  /** Ids that are not expected, or already found, change nothing. */
  record({ deliveryId, recordedAtEpochMs }: WrittenRow): void {
    const plannedAtEpochMs = this.missing.get(deliveryId);
    if (plannedAtEpochMs === undefined) return;
    this.missing.delete(deliveryId);
    this.sojourn.recordMs(recordedAtEpochMs - plannedAtEpochMs);
    this.lastRecordedAtEpochMs = Math.max(this.lastRecordedAtEpochMs ?? recordedAtEpochMs, recordedAtEpochMs);
  }

  get rows(): number {
    return this.expected - this.missing.size;
  }

  get missingIds(): string[] {
    return [...this.missing.keys()];
  }

  get missingCount(): number {
    return this.missing.size;
  }
}
