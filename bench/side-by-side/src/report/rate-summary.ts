import { medianRatio, type OfRound, type Spread, spreadOf } from './rounds.js';

/** What one client did in one scenario of one round. */
export interface RateSample<Client extends string> {
  readonly round: number;
  readonly scenario: string;
  readonly client: Client;
  readonly messagesPerSec: number;
  /** CPU time of the client's process per message. */
  readonly cpuUserUs: number;
  readonly cpuSystemUs: number;
}

export interface RateSummary<Client extends string> {
  readonly scenario: string;
  readonly client: Client;
  readonly messagesPerSec: Spread;
  /** User and kernel together, per message: the median of the rounds. */
  readonly cpuUs: number;
  readonly cpuSystemUs: number;
}

/** Which two of a scenario are compared. */
export interface Pair<Client extends string> {
  readonly scenario: string;
  readonly client: Client;
  readonly to: Client;
}

/** One row for each of `clients` in each scenario that was measured; in their order, not the rotated one. */
export function summarizeRates<Client extends string>(
  samples: ReadonlyArray<RateSample<Client>>,
  clients: readonly Client[],
): Array<RateSummary<Client>> {
  const scenarios = [...new Set(samples.map(({ scenario }) => scenario))];
  return scenarios.flatMap((scenario) =>
    clients.flatMap((client) => {
      const own = samples.filter((sample) => sample.scenario === scenario && sample.client === client);
      const rates = ratesOf(own);
      return rates ? [{ scenario, client, ...rates }] : [];
    }),
  );
}

function ratesOf<Client extends string>(
  samples: ReadonlyArray<RateSample<Client>>,
): Omit<RateSummary<Client>, 'scenario' | 'client'> | undefined {
  const messagesPerSec = spreadOf(samples.map((sample) => sample.messagesPerSec));
  const cpuUs = spreadOf(samples.map(({ cpuUserUs, cpuSystemUs }) => cpuUserUs + cpuSystemUs));
  const cpuSystemUs = spreadOf(samples.map((sample) => sample.cpuSystemUs));
  if (!messagesPerSec || !cpuUs || !cpuSystemUs) return undefined;
  return { messagesPerSec, cpuUs: cpuUs.median, cpuSystemUs: cpuSystemUs.median };
}

/** Messages per second of one client to those of another within each round: the median over the rounds. */
export function rateRatio<Client extends string>(
  all: ReadonlyArray<RateSample<Client>>,
  { scenario, client, to }: Pair<Client>,
): number | undefined {
  const rates = (name: Client): OfRound[] =>
    all
      .filter((sample) => sample.scenario === scenario && sample.client === name)
      .map(({ round, messagesPerSec }) => ({ round, value: messagesPerSec }));
  return medianRatio(rates(client), rates(to));
}
