import type { QueueType } from '../broker/bench-vhost.js';
import { consumerVersions } from '../peers/versions.js';
import type { Findings } from '../report/findings.js';
import type { Surroundings } from '../surroundings.js';
import { benchConsume } from './consume-bench.js';
import type { ConsumerName } from './consume-client.js';
import { consumeTables } from './consume-report.js';
import { summarizeConsumers } from './consume-summary.js';
import { consumeVerdicts } from './consume-verdict.js';
import { consumeScenariosOf } from './scenario.js';

export interface ConsumeSettings {
  readonly rounds: number;
  /** About how long raw amqplib takes for the measured messages of a cell. */
  readonly seconds: number;
  readonly prefetch: readonly number[];
  readonly queue: QueueType | 'both';
  readonly clients: readonly ConsumerName[];
}

const NOTES = [
  'everybody: one connection, one consumer, prefetch = concurrency, a handler that does nothing; 300 B of JSON decoded by the client, persistent, with a message id, loaded before the client connects',
  'amqplib: acks each, noDelay; amqplib-multi: one ack(last, true) a turn of the loop; golevelup, nest-rmq: NestJS applications with @RabbitSubscribe, with @EventPattern and channel.ack; the others: their defaults',
  'ours-bare: WorkQueueRuntime.consume without NestJS; ours: a NestJS application with @WorkHandler and @Payload() that validates nothing',
  'from the first message after 2,000 of warm-up to the last, in the handler; CPU is that of the client process; ratios: within each round, then the median',
];

export async function findConsume(settings: ConsumeSettings, surroundings: Surroundings): Promise<Findings> {
  const { rounds, seconds, prefetch, queue, clients } = settings;
  const scenarios = consumeScenariosOf(queue === 'both' ? ['classic', 'quorum'] : [queue], prefetch);
  const { samples, invalid } = await benchConsume({ clients, scenarios, rounds, seconds }, surroundings);
  const summaries = summarizeConsumers(samples);
  return {
    benchmark: 'consume',
    settings: { rounds, seconds, prefetch, queue, clients },
    versions: consumerVersions(),
    notes: NOTES,
    tables: consumeTables(summaries, invalid, scenarios),
    verdicts: consumeVerdicts(samples, invalid, scenarios),
    summaries,
    samples: [...samples, ...invalid],
  };
}
