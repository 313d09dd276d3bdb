import { describe, expect, it } from '@jest/globals';
import type { ClientName } from './publish-client.js';
import { type PublishSample, summarize } from './publish-summary.js';
import { publishVerdicts } from './publish-verdict.js';
import { scenariosOf } from './scenario.js';

const scenarios = scenariosOf(['classic'], [100, 1_000]);
const [at100 = '', at1000 = '', serial = ''] = scenarios.map(({ name }) => name);

function samplesOf(scenario: string, rates: Partial<Record<ClientName, number[]>>): PublishSample[] {
  return Object.entries(rates).flatMap(([client, perRound]) =>
    perRound.map((messagesPerSec, round) => ({
      round,
      scenario,
      client: client as ClientName,
      messagesPerSec,
      cpuUserUs: 12,
      cpuSystemUs: 3,
    })),
  );
}

const stateOf = (samples: PublishSample[], target: string) =>
  publishVerdicts(samples, scenarios).find((verdict) => verdict.target.startsWith(target));

describe('the verdict on publishing', () => {
  it('compares within each round', () => {
    const samples = samplesOf(at100, { ours: [15_000, 3_000], amqplib: [10_000, 2_000] });
    expect(stateOf(samples, `${at100}: to raw amqplib`)).toMatchObject({ figure: 1.5, state: 'met' });
    expect(stateOf(samples, `${at1000}: to raw amqplib`)).toMatchObject({ state: 'not measured' });
  });

  it('takes the contender that we do worst against', () => {
    const samples = samplesOf(at1000, { ours: [100], golevelup: [80], 'rabbitmq-client': [125] });
    expect(stateOf(samples, `${at1000}: to the best`)).toMatchObject({ figure: 0.8, state: 'missed' });
  });

  it('asks for the CPU time at window 100 only, user and kernel together', () => {
    const samples = [...samplesOf(at100, { ours: [1] }), ...samplesOf(at1000, { ours: [1] })];
    const targets = publishVerdicts(samples, scenarios).filter(({ target }) => target.includes('CPU'));
    expect(targets).toEqual([{ target: `${at100}: CPU a message ≤ 18 µs`, figure: 15, state: 'met' }]);
  });

  it('asks for twenty times those that stall when they send one at a time', () => {
    const samples = samplesOf(serial, { ours: [500], golevelup: [22], ClientRMQ: [30] });
    expect(stateOf(samples, `${serial}: to golevelup`)).toMatchObject({ state: 'met' });
    expect(stateOf(samples, `${serial}: to ClientRMQ`)).toMatchObject({ state: 'missed' });
  });
});

it('a summary has a row for each client of each scenario that was measured', () => {
  const samples = [
    ...samplesOf(at100, { ours: [1, 3, 2], amqplib: [1, 1, 1] }),
    ...samplesOf(serial, { ours: [9] }),
  ];
  expect(
    summarize(samples).map(({ scenario, client, messagesPerSec }) => [scenario, client, messagesPerSec]),
  ).toEqual([
    [at100, 'ours', { median: 2, min: 1, max: 3 }],
    [at100, 'amqplib', { median: 1, min: 1, max: 1 }],
    [serial, 'ours', { median: 9, min: 9, max: 9 }],
  ]);
});
