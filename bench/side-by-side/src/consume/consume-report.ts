import { ratio, short, spread, table } from '../report/tables.js';
import type { ConsumeSummary, InvalidCell } from './consume-summary.js';
import type { ConsumeScenario } from './scenario.js';

const HEAD = ['client', 'handled/s (min–max)', 'to raw amqplib', 'CPU µs/message', 'of it kernel'];

/** One table for each scenario, and every cell that does not count. */
export function consumeTables(
  summaries: readonly ConsumeSummary[],
  invalid: readonly InvalidCell[],
  scenarios: readonly ConsumeScenario[],
): string {
  const tables = scenarios.map(({ name }) => {
    const rows = summaries.filter(({ scenario }) => scenario === name).map(rowOf);
    return `${name}\n${table(HEAD, rows)}`;
  });
  return [...tables, ...invalid.map(lineOf)].join('\n\n');
}

const rowOf = ({ client, messagesPerSec, ratioToRaw, cpuUs, cpuSystemUs }: ConsumeSummary) => [
  client,
  spread(messagesPerSec),
  ratio(ratioToRaw),
  short(cpuUs),
  short(cpuSystemUs),
];

const lineOf = ({ round, scenario, client, problem }: InvalidCell): string =>
  `INVALID, not counted: round ${round}: ${scenario}: ${client}: ${problem}`;
