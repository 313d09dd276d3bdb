import { ratio, short, spread, table } from '../report/tables.js';
import type { PublishSummary } from './publish-summary.js';
import type { Scenario } from './scenario.js';

const HEAD = [
  'client',
  'confirmed/s (min–max)',
  'to raw amqplib',
  'to the best',
  'CPU µs/message',
  'of it kernel',
];

/** One table for each scenario. */
export function publishTables(summaries: readonly PublishSummary[], scenarios: readonly Scenario[]): string {
  return scenarios
    .map(({ name }) => {
      const rows = summaries.filter(({ scenario }) => scenario === name).map(rowOf);
      return `${name}\n${table(HEAD, rows)}`;
    })
    .join('\n\n');
}

const rowOf = ({ client, messagesPerSec, ratioToRaw, ratioToBest, cpuUs, cpuSystemUs }: PublishSummary) => [
  client,
  spread(messagesPerSec),
  ratio(ratioToRaw),
  ratio(ratioToBest),
  short(cpuUs),
  short(cpuSystemUs),
];
