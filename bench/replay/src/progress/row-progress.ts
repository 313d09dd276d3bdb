import type { Clock } from '../clock.js';
import type { RowPass } from '../rows/await-rows.js';
import type { Reconciliation } from '../rows/reconciliation.js';

const LINE_INTERVAL_MS = 3_000;

interface RowProgressOptions {
  reconciliation: Reconciliation;
  clock: Clock;
  write: (line: string) => void;
}

/** Says now and then how many rows are still missing, and at once, then now and then, why the database cannot be asked. */
export function rowProgress({ reconciliation, clock, write }: RowProgressOptions): (pass: RowPass) => void {
  const nextLineAtMs = { complete: clock.nowMs() + LINE_INTERVAL_MS, failed: clock.nowMs() };
  return (pass) => {
    const nowMs = clock.nowMs();
    if (nowMs < nextLineAtMs[pass.kind] || (pass.kind === 'complete' && reconciliation.missingCount === 0))
      return;
    nextLineAtMs[pass.kind] = nowMs + LINE_INTERVAL_MS;
    if (pass.kind === 'failed') write(`the database does not answer (${pass.reason}): trying again`);
    else write(`waiting for ${reconciliation.missingCount} rows, ${reconciliation.rows} are written`);
  };
}
