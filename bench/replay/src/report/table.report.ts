import Table from 'cli-table3';

import type { LatencyHistogram } from '../latency-histogram.js';
import { type ReplayResult, throughputOf } from './replay-result.js';
import { reportSettings } from './settings.report.js';

type Row = [name: string, value: string];

/** The table for people, with the machine and the settings the numbers were measured with. */
export function tableReport(result: ReplayResult): string {
  const { machine, settings } = result;
  // n.b. empty styles: cli-table3 colours its borders even where no terminal is.
  const style = { head: [], border: [], compact: true };
  const table = new Table({ style, colAligns: ['left', 'right'] });
  table.push(...trafficRows(result), ...rowRows(result), ...latencyRows(result), ...generatorRows(result));
  const used = Object.entries(reportSettings(settings)).map(([name, value]) => `${name} ${value}`);
  return [
    table.toString(),
    `machine: ${machine.cpu}, ${machine.cpus} cores, node ${machine.node}`,
    `settings: ${used.join(', ')}`,
  ].join('\n');
}

function trafficRows({ ledger }: ReplayResult): Row[] {
  const retried: Row[] = ledger.attempts > ledger.sent ? [['attempts', String(ledger.attempts)]] : [];
  const unsent: Row[] = ledger.unsent > 0 ? [['due but never sent', String(ledger.unsent)]] : [];
  return [
    ['sent', String(ledger.sent)],
    ...retried,
    ...unsent,
    ['accepted', String(ledger.accepted)],
    ['rejected', String(ledger.rejected)],
    ...reasonRows(ledger.rejectedByReason),
    ['unknown', String(ledger.unknown)],
    ...reasonRows(ledger.unknownByReason),
  ];
}

function reasonRows(counts: ReadonlyMap<string, number>): Row[] {
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, count]) => [`  ${reason}`, String(count)]);
}

function rowRows(result: ReplayResult): Row[] {
  const { rowCheck } = result;
  const { acceptedPerSec, rowsPerSec } = throughputOf(result);
  return [
    ['rows written', rowCheck.kind === 'checked' ? String(rowCheck.rows) : 'not checked'],
    ['accepted throughput', `${acceptedPerSec}/s`],
    ['row throughput', rowsPerSec === null ? '-' : `${rowsPerSec}/s`],
  ];
}

function latencyRows({ ledger, rowCheck }: ReplayResult): Row[] {
  const sojourn = rowCheck.kind === 'checked' ? rowCheck.sojourn : undefined;
  return [
    ['accepted sojourn p50', formatMs(sojourn, 50)],
    ['accepted sojourn p99', formatMs(sojourn, 99)],
    ['time to 202 p99', formatMs(ledger.timeTo202, 99)],
    ['time to 503 p99', formatMs(ledger.timeTo503, 99)],
  ];
}

function generatorRows({ ledger, generatorCpuPercent, durationMs }: ReplayResult): Row[] {
  return [
    ['send phase', `${(durationMs / 1_000).toFixed(1)} s`],
    ['generator late p99', formatMs(ledger.lateness, 99)],
    ['generator CPU', `${generatorCpuPercent} % of a core`],
    ['most waiting for a connection', String(ledger.maxWaitingForConnection)],
  ];
}

function formatMs(histogram: LatencyHistogram | undefined, percentile: number): string {
  const latencyMs = histogram?.percentileMs(percentile) ?? null;
  return latencyMs === null ? '-' : `${latencyMs.toFixed(latencyMs < 10 ? 1 : 0)} ms`;
}
