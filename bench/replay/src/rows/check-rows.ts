import type { LatencyHistogram } from '../latency-histogram.js';
import { awaitRows, type RowWait } from './await-rows.js';
import { countRows } from './batches.js';
import type { RowStore } from './row-store.port.js';

/** Ids that were never accepted and have a row nevertheless. */
interface UnacceptedRows {
  /** A refusal that stored the work all the same: the sender would send it again as new. */
  rejected: number;
  /** Legitimate: unknown means it may have been stored. */
  unknown: number;
}

export type RowCheck =
  | { kind: 'not-wanted' }
  | { kind: 'not-checked'; reason: string }
  | {
      kind: 'checked';
      rows: number;
      missingIds: readonly string[];
      sojourn: LatencyHistogram;
      lastRecordedAtEpochMs: number | undefined;
      /** Undefined when the database went away after the accepted ids had been checked. */
      unacceptedRows: UnacceptedRows | undefined;
    };

interface UnacceptedIds {
  rejectedIds: readonly string[];
  unknownIds: readonly string[];
}

/** Waits for the rows of the accepted ids, then looks once whether anything not accepted was written. */
export async function checkRows(wait: RowWait, unaccepted: UnacceptedIds): Promise<RowCheck> {
  const pass = await awaitRows(wait);
  if (pass.kind === 'failed') return { kind: 'not-checked', reason: pass.reason };
  const { rows, missingIds, sojourn, lastRecordedAtEpochMs } = wait.reconciliation;
  const unacceptedRows = await countUnaccepted(wait.store, unaccepted).catch(() => undefined);
  return { kind: 'checked', rows, missingIds, sojourn, lastRecordedAtEpochMs, unacceptedRows };
}

async function countUnaccepted(
  store: RowStore,
  { rejectedIds, unknownIds }: UnacceptedIds,
): Promise<UnacceptedRows> {
  const rejected = await countRows(store, rejectedIds);
  return { rejected, unknown: await countRows(store, unknownIds) };
}
