import type { QueueType } from '../broker/bench-vhost.js';
import { publisherVersions } from '../peers/versions.js';
import type { Findings } from '../report/findings.js';
import type { Surroundings } from '../surroundings.js';
import { benchPublish } from './publish-bench.js';
import type { ClientName } from './publish-client.js';
import { publishTables } from './publish-report.js';
import { summarize } from './publish-summary.js';
import { publishVerdicts } from './publish-verdict.js';
import { scenariosOf } from './scenario.js';

export interface PublishSettings {
  readonly rounds: number;
  /** Measured in each cell, after the warm-up. */
  readonly seconds: number;
  readonly windows: readonly number[];
  readonly queueTypes: readonly QueueType[];
  readonly clients: readonly ClientName[];
}

const NOTES = [
  'everybody: one connection and channel, confirms, persistent, default exchange, encodes the JSON itself',
  'ours: WorkQueue.publish with its id and headers, to a bounded queue, a second connection stands by; amqplib: noDelay, no cork; the others: their defaults',
  'ratios: within each round, then the median; "the best" is the worst ratio to golevelup, amqp-connection-manager, rabbitmq-client',
];

export async function findPublish(settings: PublishSettings, surroundings: Surroundings): Promise<Findings> {
  const { rounds, seconds, windows, queueTypes, clients } = settings;
  const scenarios = scenariosOf(queueTypes, windows);
  const plan = { clients, scenarios, rounds, measureMs: seconds * 1_000 };
  const samples = await benchPublish(plan, surroundings);
  const summaries = summarize(samples);
  return {
    benchmark: 'publish',
    settings: { rounds, seconds, windows, queueTypes, clients },
    versions: publisherVersions(),
    notes: NOTES,
    tables: publishTables(summaries, scenarios),
    verdicts: publishVerdicts(samples, scenarios),
    summaries,
    samples,
  };
}
