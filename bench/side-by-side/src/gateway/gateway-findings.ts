import { gatewayVersions } from '../peers/versions.js';
import type { Findings } from '../report/findings.js';
import { ratio, short, spread, table } from '../report/tables.js';
import type { Surroundings } from '../surroundings.js';
import { benchGateway, type GatewayPlan } from './gateway-bench.js';
import { type GatewaySummary, gatewayVerdicts, summarizeGateways } from './gateway-summary.js';

const NOTES = [
  'none: validates, 202. ours: publishes, 202. refused: its queue is full, 503. plain-hook: a bare onRequest hook, 503',
  'CPU is that of the gateway process alone; generator and broker share the cores, so rates mean little',
];

const HEAD = [
  'gateway',
  'requests/s (min–max)',
  'p50 ms',
  'p99 ms',
  'CPU µs/request (min–max)',
  'to none',
  'unexpected',
];

export async function findGateway(plan: GatewayPlan, surroundings: Surroundings): Promise<Findings> {
  const { rounds, seconds, connections, queueType } = plan;
  const samples = await benchGateway(plan, surroundings);
  const summaries = summarizeGateways(samples);
  return {
    benchmark: 'gateway',
    settings: { rounds, seconds, connections, queueType },
    versions: gatewayVersions(),
    notes: NOTES,
    tables: table(HEAD, summaries.map(rowOf)),
    verdicts: gatewayVerdicts(samples),
    summaries,
    samples,
  };
}

const rowOf = (summary: GatewaySummary): string[] => [
  summary.variant,
  spread(summary.requestsPerSec),
  short(summary.p50Ms.median),
  short(summary.p99Ms.median),
  spread(summary.cpuUs),
  ratio(summary.cpuRatioToNone),
  String(summary.unexpected),
];
