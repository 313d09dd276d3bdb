import type { Clock } from '../clock.js';
import { findRowsInBatches } from './batches.js';
import { describeError } from './describe-error.js';
import type { Reconciliation } from './reconciliation.js';
import type { RowStore } from './row-store.port.js';

const MIN_POLL_INTERVAL_MS = 200;

export interface RowWait {
  reconciliation: Reconciliation;
  store: RowStore;
  clock: Clock;
  pause(durationMs: number, signal: AbortSignal): Promise<void>;
  /** Gives up after this long without a new row. */
  settleTimeoutMs: number;
  signal: AbortSignal;
  onPass(pass: RowPass): void;
}

/** One look at everything still missing; failed when the database could not be asked to the end. */
export type RowPass = { kind: 'complete' } | { kind: 'failed'; reason: string };

/**
 * Asks for the missing ids, again and again, until all are rows, no row is new for `settleTimeoutMs`, or the
 * signal is aborted. Returns the last pass: only a complete one proves which ids are missing.
 */
export async function awaitRows(wait: RowWait): Promise<RowPass> {
  const { reconciliation, clock, signal } = wait;
  let lastProgressAtMs = clock.nowMs();
  for (;;) {
    const startedAtMs = clock.nowMs();
    const rowsBefore = reconciliation.rows;
    const pass = await lookOnce(wait);
    const nowMs = clock.nowMs();
    wait.onPass(pass);
    if (reconciliation.rows > rowsBefore) lastProgressAtMs = nowMs;
    const isSettled = pass.kind === 'complete' && reconciliation.missingCount === 0;
    if (isSettled || signal.aborted || nowMs - lastProgressAtMs >= wait.settleTimeoutMs) return pass;
    // Resting as long as the look took leaves the worker at least half of a single-threaded database.
    await wait.pause(Math.max(MIN_POLL_INTERVAL_MS, nowMs - startedAtMs), signal);
  }
}

async function lookOnce({ reconciliation, store }: RowWait): Promise<RowPass> {
  try {
    for await (const rows of findRowsInBatches(store, reconciliation.missingIds)) {
      for (const row of rows) reconciliation.record(row);
    }
    return { kind: 'complete' };
  } catch (error) {
    return { kind: 'failed', reason: describeError(error) };
  }
}
