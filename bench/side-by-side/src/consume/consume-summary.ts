import { rateRatio, type RateSample, type RateSummary, summarizeRates } from '../report/rate-summary.js';
import { CONSUMER_NAMES, type ConsumerName } from './consume-client.js';

export type ConsumeSample = RateSample<ConsumerName>;

/** A cell that does not count: not everything was handled once and acked. */
export interface InvalidCell {
  readonly round: number;
  readonly scenario: string;
  readonly client: ConsumerName;
  readonly problem: string;
}

export interface ConsumeSummary extends RateSummary<ConsumerName> {
  /** To raw amqplib's ack of each message, within each round; undefined when that was left out. */
  readonly ratioToRaw: number | undefined;
}

/** One row for each client of each scenario; the clients in their usual order, not the rotated one. */
export const summarizeConsumers = (samples: readonly ConsumeSample[]): ConsumeSummary[] =>
  summarizeRates(samples, CONSUMER_NAMES).map((summary) => {
    const { scenario, client } = summary;
    return { ...summary, ratioToRaw: rateRatio(samples, { scenario, client, to: 'amqplib' }) };
  });
