import { describe, expect, it } from '@jest/globals';
import type { ConsumerName } from './consume-client.js';
import { type ConsumeSample, summarizeConsumers } from './consume-summary.js';
import { consumeVerdicts } from './consume-verdict.js';
import { consumeScenariosOf } from './scenario.js';

const scenarios = consumeScenariosOf(['quorum'], [10, 100]);
const [at10 = '', at100 = ''] = scenarios.map(({ name }) => name);

function samplesOf(scenario: string, rates: Partial<Record<ConsumerName, number[]>>): ConsumeSample[] {
  return Object.entries(rates).flatMap(([client, perRound]) =>
    perRound.map((messagesPerSec, round) => ({
      round,
      scenario,
      client: client as ConsumerName,
      messagesPerSec,
      cpuUserUs: 16,
      cpuSystemUs: 5,
    })),
  );
}

const verdictsOf = (samples: ConsumeSample[]) => consumeVerdicts(samples, [], scenarios);

describe('the verdict on consuming', () => {
  it('compares within each round, at prefetch 100 only', () => {
    const samples = [
      ...samplesOf(at10, { 'ours-bare': [10], amqplib: [10] }),
      // The machine was five times as slow in the second round.
      ...samplesOf(at100, {
        'ours-bare': [30_000, 6_400],
        ours: [16_000, 3_200],
        amqplib: [20_000, 4_000],
        golevelup: [20_000, 4_000],
        'nest-rmq': [10_000, 2_000],
      }),
    ];
    expect(verdictsOf(samples).slice(0, -1)).toEqual([
      { target: `${at100}: ours-bare to raw amqplib ≥ 1.3 x`, figure: 1.55, state: 'met' },
      { target: `${at100}: ours to golevelup ≥ 1 x`, figure: 0.8, state: 'missed' },
      { target: `${at100}: ours to nest-rmq ≥ 1.5 x`, figure: 1.6, state: 'met' },
      { target: `${at100}: CPU of ours a message ≤ 20 µs`, figure: 21, state: 'missed' },
    ]);
  });

  it('says what was not measured, such as what only a cell that does not count could tell', () => {
    const samples = samplesOf(at100, { ours: [16_000] });
    expect(verdictsOf(samples).map(({ state }) => state)).toEqual([
      'not measured',
      'not measured',
      'not measured',
      'missed',
      'met',
    ]);
  });

  it('a single cell that does not count is a target missed', () => {
    const cell = { round: 1, scenario: at10, client: 'ours', problem: '1 not acked' } as const;
    expect(consumeVerdicts([], [cell], scenarios).at(-1)).toMatchObject({ figure: 1, state: 'missed' });
  });
});

it('a summary compares everybody with raw amqplib, and leaves that out where it was not measured', () => {
  const samples = [
    ...samplesOf(at100, { amqplib: [2, 4, 2], ours: [3, 6, 2] }),
    ...samplesOf(at10, { 'nest-rmq': [9] }),
  ];
  expect(summarizeConsumers(samples)).toMatchObject([
    { scenario: at100, client: 'ours', messagesPerSec: { median: 3, min: 2, max: 6 }, ratioToRaw: 1.5 },
    { scenario: at100, client: 'amqplib', ratioToRaw: 1 },
    { scenario: at10, client: 'nest-rmq', ratioToRaw: undefined, cpuUs: 21, cpuSystemUs: 5 },
  ]);
});
