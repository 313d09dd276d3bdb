import {
  type Pair,
  rateRatio,
  type RateSample,
  type RateSummary,
  summarizeRates,
} from '../report/rate-summary.js';
import { spreadOf } from '../report/rounds.js';
import { CLIENT_NAMES, type ClientName } from './publish-client.js';

export type PublishSample = RateSample<ClientName>;

export interface PublishSummary extends RateSummary<ClientName> {
  /** Within each round; undefined when the other was left out. */
  readonly ratioToRaw: number | undefined;
  readonly ratioToBest: number | undefined;
}

/** Those that somebody might choose in our place. */
const CONTENDERS = ['golevelup', 'amqp-connection-manager', 'rabbitmq-client'] as const;

/** One row for each client of each scenario; the clients in their usual order, not the rotated one. */
export const summarize = (samples: readonly PublishSample[]): PublishSummary[] =>
  summarizeRates(samples, CLIENT_NAMES).map((summary) => ({
    ...summary,
    ratioToRaw: rateRatio(samples, { ...summary, to: 'amqplib' }),
    ratioToBest: ratioToBest(samples, summary),
  }));

/**
 * To whichever contender this client does worst against. Not to the best of each round: of three that vary, the luckiest
 * of the moment beats every one of them.
 */
function ratioToBest(
  all: readonly PublishSample[],
  { scenario, client }: Omit<Pair<ClientName>, 'to'>,
): number | undefined {
  const ratios = CONTENDERS.flatMap((to) => rateRatio(all, { scenario, client, to }) ?? []);
  return spreadOf(ratios)?.min;
}
