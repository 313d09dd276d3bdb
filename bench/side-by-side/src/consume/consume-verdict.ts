import { rateRatio } from '../report/rate-summary.js';
import { atLeast, atMost, type Verdict } from '../report/verdict.js';
import type { ConsumerName } from './consume-client.js';
import { type ConsumeSample, type InvalidCell, summarizeConsumers } from './consume-summary.js';
import type { ConsumeScenario } from './scenario.js';

/** The prefetch that all is promised for. */
const PROMISED_PREFETCH = 100;
const MAX_CPU_US = 20;

/** What we want to be true of both kinds of queue at prefetch 100, and of every cell. */
export function consumeVerdicts(
  samples: readonly ConsumeSample[],
  invalid: readonly InvalidCell[],
  scenarios: readonly ConsumeScenario[],
): Verdict[] {
  const promised = scenarios.filter(({ prefetch }) => prefetch === PROMISED_PREFETCH);
  return [
    ...promised.flatMap(({ name }) => scenarioVerdicts(samples, name)),
    atMost({
      name: 'not everything handled once and acked',
      bound: 0,
      unit: 'cells',
      figure: invalid.length,
    }),
  ];
}

function scenarioVerdicts(samples: readonly ConsumeSample[], scenario: string): Verdict[] {
  const summaries = summarizeConsumers(samples);
  const ours = summaries.find((summary) => summary.scenario === scenario && summary.client === 'ours');
  const ratioOf = (client: ConsumerName, to: ConsumerName) => rateRatio(samples, { scenario, client, to });
  return [
    atLeast({
      name: `${scenario}: ours-bare to raw amqplib`,
      bound: 1.3,
      unit: 'x',
      figure: ratioOf('ours-bare', 'amqplib'),
    }),
    atLeast({
      name: `${scenario}: ours to golevelup`,
      bound: 1,
      unit: 'x',
      figure: ratioOf('ours', 'golevelup'),
    }),
    atLeast({
      name: `${scenario}: ours to nest-rmq`,
      bound: 1.5,
      unit: 'x',
      figure: ratioOf('ours', 'nest-rmq'),
    }),
    atMost({
      name: `${scenario}: CPU of ours a message`,
      bound: MAX_CPU_US,
      unit: 'µs',
      figure: ours?.cpuUs,
    }),
  ];
}
