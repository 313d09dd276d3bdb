import type { LatencyHistogram } from '../latency-histogram.js';
import { type ReplayResult, throughputOf } from './replay-result.js';
import { reportSettings } from './settings.report.js';

const MAX_LISTED_IDS = 10;

/** One object for programs. `rows` and `missing` are null when they could not be, or were not to be, checked. */
export function jsonReport(result: ReplayResult): Record<string, unknown> {
  const { ledger, settings, machine, durationMs, wasInterrupted } = result;
  const throughput = throughputOf(result);
  return {
    sent: ledger.sent,
    accepted: ledger.accepted,
    rejected: ledger.rejected,
    unknown: ledger.unknown,
    ...rowFields(result),
    durationMs: Math.round(durationMs),
    attempts: ledger.attempts,
    unsent: ledger.unsent,
    reasons: {
      rejected: Object.fromEntries(ledger.rejectedByReason),
      unknown: Object.fromEntries(ledger.unknownByReason),
    },
    throughputPerSec: { accepted: throughput.acceptedPerSec, rows: throughput.rowsPerSec },
    timeTo202Ms: percentiles(ledger.timeTo202),
    timeTo503Ms: percentiles(ledger.timeTo503),
    generator: {
      cpuPercent: result.generatorCpuPercent,
      latenessMs: percentiles(ledger.lateness),
      maxWaitingForConnection: ledger.maxWaitingForConnection,
    },
    wasInterrupted,
    settings: reportSettings(settings),
    machine,
  };
}

function rowFields({ rowCheck }: ReplayResult): Record<string, unknown> {
  if (rowCheck.kind !== 'checked') {
    const notChecked = rowCheck.kind === 'not-checked' ? rowCheck.reason : 'not asked for';
    return { rows: null, missing: null, sojournMs: { p50: null, p99: null }, notChecked };
  }
  return {
    rows: rowCheck.rows,
    missing: rowCheck.missingIds.length,
    sojournMs: percentiles(rowCheck.sojourn),
    missingIds: rowCheck.missingIds.slice(0, MAX_LISTED_IDS),
    unacceptedRows: rowCheck.unacceptedRows ?? null,
  };
}

function percentiles(histogram: LatencyHistogram): { p50: number | null; p99: number | null } {
  return { p50: histogram.percentileMs(50), p99: histogram.percentileMs(99) };
}
