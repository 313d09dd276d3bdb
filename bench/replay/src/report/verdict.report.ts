import type { Colors } from 'picocolors/types.js';

import type { Ledger } from '../send/ledger.js';
import type { ReplayResult } from './replay-result.js';

const MAX_LISTED_IDS = 10;

/** The reconciliation and whatever the reader should do next, one line each. */
export function verdictLines(result: ReplayResult, colors: Colors): string[] {
  return [
    ...reconciliationLines(result, colors),
    ...unacceptedLines(result, colors),
    ...hintLines(result, colors),
  ];
}

function reconciliationLines({ rowCheck, ledger }: ReplayResult, colors: Colors): string[] {
  if (rowCheck.kind === 'not-wanted') return ['rows: not checked (--no-rows)'];
  if (rowCheck.kind === 'not-checked') {
    return [
      colors.red(`rows: not checked, the database cannot be asked: ${rowCheck.reason}`),
      'start the events-worker or set DATABASE_URL, or pass --no-rows to leave the rows out',
    ];
  }
  const { rows, missingIds } = rowCheck;
  const counts = `(${ledger.accepted} accepted, ${rows} written)`;
  if (missingIds.length === 0) return [colors.green(`accepted ids = rows written, missing 0 ${counts}`)];
  return [
    colors.red(`accepted ids > rows written, missing ${missingIds.length} ${counts}`),
    ...missingIds.slice(0, MAX_LISTED_IDS).map((id) => colors.red(`  ${id}`)),
    ...(missingIds.length > MAX_LISTED_IDS
      ? [colors.red(`  and ${missingIds.length - MAX_LISTED_IDS} more`)]
      : []),
  ];
}

function unacceptedLines({ rowCheck, ledger }: ReplayResult, colors: Colors): string[] {
  if (rowCheck.kind !== 'checked' || rowCheck.unacceptedRows === undefined) return [];
  const { rejected, unknown } = rowCheck.unacceptedRows;
  const lines: string[] = [];
  if (rejected > 0)
    lines.push(colors.yellow(`${rejected} of ${ledger.rejected} rejected ids were written all the same`));
  if (unknown > 0) lines.push(`${unknown} of ${ledger.unknown} unknown ids were written`);
  return lines;
}

function hintLines({ ledger, settings, wasInterrupted }: ReplayResult, colors: Colors): string[] {
  const lines: string[] = [];
  if (wasInterrupted) lines.push(colors.yellow('interrupted: the numbers cover what was sent until then'));
  if (hasUnauthorized(ledger)) {
    const cause =
      settings.secret === undefined
        ? 'the requests were not signed'
        : 'the secret differs from the gateway’s';
    lines.push(
      colors.yellow(`401 answers: ${cause}; give its secret with --secret or GITHUB_WEBHOOK_SECRET`),
    );
  }
  return lines;
}

function hasUnauthorized({ rejectedByReason }: Ledger): boolean {
  return [...rejectedByReason.keys()].some((reason) => reason.startsWith('http-401'));
}
