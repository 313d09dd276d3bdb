import { type Machine, machineLine } from './machine.js';
import { verdictTable } from './tables.js';
import type { Verdict } from './verdict.js';

/** What a benchmark found, for people and for programs. */
export interface Findings {
  readonly benchmark: 'publish' | 'consume' | 'gateway';
  readonly settings: Readonly<Record<string, unknown>>;
  readonly versions: Readonly<Record<string, string>>;
  /** What people should know of how it was measured. */
  readonly notes: readonly string[];
  readonly tables: string;
  readonly verdicts: readonly Verdict[];
  readonly summaries: readonly unknown[];
  readonly samples: readonly unknown[];
}

export function textReport(findings: Findings, machine: Machine): string {
  const listed = (values: Readonly<Record<string, unknown>>) =>
    Object.entries(values)
      .map(([name, value]) => `${name} ${String(value)}`)
      .join(', ');
  return [
    machineLine(machine),
    `versions: ${listed(findings.versions)}`,
    `settings: ${listed(findings.settings)}`,
    ...findings.notes,
    '',
    findings.tables,
    '',
    verdictTable(findings.verdicts),
  ].join('\n');
}

export const jsonReport = ({ tables: _text, ...findings }: Findings, machine: Machine): string =>
  `${JSON.stringify({ machine, ...findings }, undefined, 2)}\n`;
