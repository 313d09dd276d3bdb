import { rateRatio } from '../report/rate-summary.js';
import { atLeast, atMost, type Verdict } from '../report/verdict.js';
import type { ClientName } from './publish-client.js';
import { type PublishSample, type PublishSummary, summarize } from './publish-summary.js';
import type { Scenario } from './scenario.js';

/** The window that our CPU time is promised for; below it there is nothing to gather into one write. */
const PROMISED_WINDOW = 100;
const MAX_CPU_US = 18;
/** Whoever leaves Nagle's algorithm on waits 40 ms for each larger message. */
const STALLED: readonly ClientName[] = ['golevelup', 'amqp-connection-manager', 'ClientRMQ'];

/** What we want to be true of every scenario measured. */
export function publishVerdicts(
  samples: readonly PublishSample[],
  scenarios: readonly Scenario[],
): Verdict[] {
  const summaries = summarize(samples);
  return scenarios.flatMap((scenario) => {
    if (scenario.kind === 'serial') return serialVerdicts(samples, scenario);
    if (scenario.window < PROMISED_WINDOW) return [];
    return pipelinedVerdicts(samples, scenario, oursIn(summaries, scenario));
  });
}

const oursIn = (summaries: readonly PublishSummary[], { name }: Scenario) =>
  summaries.find(({ scenario, client }) => scenario === name && client === 'ours');

function pipelinedVerdicts(
  samples: readonly PublishSample[],
  { name, window }: Scenario,
  ours: PublishSummary | undefined,
): Verdict[] {
  const toClientRmq = rateRatio(samples, { scenario: name, client: 'ours', to: 'ClientRMQ' });
  return [
    atLeast({ name: `${name}: to raw amqplib`, bound: 1.4, unit: 'x', figure: ours?.ratioToRaw }),
    atLeast({ name: `${name}: to the best of the others`, bound: 1, unit: 'x', figure: ours?.ratioToBest }),
    atLeast({ name: `${name}: to ClientRMQ`, bound: 2, unit: 'x', figure: toClientRmq }),
    ...(window === PROMISED_WINDOW
      ? [atMost({ name: `${name}: CPU a message`, bound: MAX_CPU_US, unit: 'µs', figure: ours?.cpuUs })]
      : []),
  ];
}

function serialVerdicts(samples: readonly PublishSample[], { name }: Scenario): Verdict[] {
  return STALLED.map((to) =>
    atLeast({
      name: `${name}: to ${to}`,
      bound: 20,
      unit: 'x',
      figure: rateRatio(samples, { scenario: name, client: 'ours', to }),
    }),
  );
}
