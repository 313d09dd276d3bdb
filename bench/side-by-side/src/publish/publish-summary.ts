import { medianRatio, type OfRound, type Spread, spreadOf } from '../report/rounds.js';
import { CLIENT_NAMES, type ClientName } from './publish-client.js';

/** What one client did in one scenario of one round. */
export interface PublishSample {
  readonly round: number;
  readonly scenario: string;
  readonly client: ClientName;
  readonly messagesPerSec: number;
  /** CPU time of the client's process per message. */
  readonly cpuUserUs: number;
  readonly cpuSystemUs: number;
}

export interface PublishSummary {
  readonly scenario: string;
  readonly client: ClientName;
  readonly messagesPerSec: Spread;
  /** Within each round; undefined when the other was left out. */
  readonly ratioToRaw: number | undefined;
  readonly ratioToBest: number | undefined;
  readonly cpuUs: number;
  readonly cpuSystemUs: number;
}

/** Those that somebody might choose in our place. */
const CONTENDERS = ['golevelup', 'amqp-connection-manager', 'rabbitmq-client'] as const;

/** One row for each client of each scenario; the clients in their usual order, not the rotated one. */
export function summarize(samples: readonly PublishSample[]): PublishSummary[] {
  const scenarios = [...new Set(samples.map(({ scenario }) => scenario))];
  return scenarios.flatMap((scenario) =>
    CLIENT_NAMES.flatMap((client) => summaryOf(samples, scenario, client) ?? []),
  );
}

function summaryOf(
  all: readonly PublishSample[],
  scenario: string,
  client: ClientName,
): PublishSummary | undefined {
  const samples = all.filter((sample) => sample.scenario === scenario && sample.client === client);
  const messagesPerSec = spreadOf(samples.map((sample) => sample.messagesPerSec));
  const cpuUs = spreadOf(samples.map(({ cpuUserUs, cpuSystemUs }) => cpuUserUs + cpuSystemUs));
  const cpuSystemUs = spreadOf(samples.map((sample) => sample.cpuSystemUs));
  if (!messagesPerSec || !cpuUs || !cpuSystemUs) return undefined;
  return {
    scenario,
    client,
    messagesPerSec,
    ratioToRaw: rateRatio(all, { scenario, client, to: 'amqplib' }),
    ratioToBest: ratioToBest(all, { scenario, client }),
    cpuUs: cpuUs.median,
    cpuSystemUs: cpuSystemUs.median,
  };
}

interface Pair {
  readonly scenario: string;
  readonly client: ClientName;
  readonly to: ClientName;
}

/** Messages per second of one client to those of another: the median over the rounds. */
export function rateRatio(all: readonly PublishSample[], { scenario, client, to }: Pair): number | undefined {
  const rates = (name: ClientName): OfRound[] =>
    all
      .filter((sample) => sample.scenario === scenario && sample.client === name)
      .map(({ round, messagesPerSec }) => ({ round, value: messagesPerSec }));
  return medianRatio(rates(client), rates(to));
}

/**
 * To whichever contender this client does worst against. Not to the best of each round: of three that vary, the luckiest
 * of the moment beats every one of them.
 */
function ratioToBest(all: readonly PublishSample[], pair: Omit<Pair, 'to'>): number | undefined {
  const ratios = CONTENDERS.flatMap((to) => rateRatio(all, { ...pair, to }) ?? []);
  return spreadOf(ratios)?.min;
}
