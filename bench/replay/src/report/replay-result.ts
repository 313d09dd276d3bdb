import type { Settings } from '../options/settings.js';
import type { RowCheck } from '../rows/check-rows.js';
import type { Ledger } from '../send/ledger.js';
import type { Machine } from './machine.js';

/** Everything the reports are made of. */
export interface ReplayResult {
  settings: Settings;
  machine: Machine;
  ledger: Ledger;
  /** From the first planned send to the end of the last delivery. */
  durationMs: number;
  startedAtEpochMs: number;
  /** Of one core, while sending. */
  generatorCpuPercent: number;
  wasInterrupted: boolean;
  rowCheck: RowCheck;
}

/** 0 only when it is proved that nothing is missing, or nobody asked for the proof. */
export function exitCodeOf(rowCheck: RowCheck): 0 | 1 {
  switch (rowCheck.kind) {
    case 'not-wanted':
      return 0;
    case 'not-checked':
      return 1;
    case 'checked':
      return rowCheck.missingIds.length === 0 ? 0 : 1;
    default:
      return rowCheck satisfies never;
  }
}

interface Throughput {
  acceptedPerSec: number;
  /** Null when no row was seen. */
  rowsPerSec: number | null;
}

/** Accepted over the send phase; rows from its start to the newest `recorded_at`. */
export function throughputOf({ ledger, durationMs, startedAtEpochMs, rowCheck }: ReplayResult): Throughput {
  const acceptedPerSec = perSec(ledger.accepted, durationMs);
  if (rowCheck.kind !== 'checked' || rowCheck.lastRecordedAtEpochMs === undefined) {
    return { acceptedPerSec, rowsPerSec: null };
  }
  return {
    acceptedPerSec,
    rowsPerSec: perSec(rowCheck.rows, rowCheck.lastRecordedAtEpochMs - startedAtEpochMs),
  };
}

function perSec(count: number, durationMs: number): number {
  return Math.round((count * 10_000) / Math.max(1, durationMs)) / 10;
}
