import Table from 'cli-table3';
import type { Spread } from './rounds.js';
import type { Verdict } from './verdict.js';

/** Three digits that matter: 7.32k, 844, 16.4. */
export function short(value: number): string {
  if (value >= 1_000) return `${Number((value / 1_000).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

export const spread = ({ median, min, max }: Spread): string =>
  `${short(median)} (${short(min)}–${short(max)})`;

export const ratio = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(2));

/** The first column is text, the others are numbers. */
export function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const result = new Table({
    head: [...head],
    colAligns: head.map((_, index) => (index === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  result.push(...rows.map((row) => [...row]));
  return result.toString();
}

export const verdictTable = (verdicts: readonly Verdict[]): string =>
  table(
    ['target', 'measured', ''],
    verdicts.map(({ target, figure, state }) => [target, figure === undefined ? '–' : short(figure), state]),
  );
