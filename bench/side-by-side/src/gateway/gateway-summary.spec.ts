import { expect, it } from '@jest/globals';
import { type GatewaySample, gatewayVerdicts, summarizeGateways } from './gateway-summary.js';
import type { GatewayVariant } from './gateway-variant.js';

const sample = (round: number, variant: GatewayVariant, cpuUs: number): GatewaySample => ({
  round,
  variant,
  requestsPerSec: 5_000,
  p50Ms: 6,
  p99Ms: 30,
  cpuUs,
  unexpected: 1,
});

/** The machine was twice as slow in the second round. */
const samples = [1, 2, 1].flatMap((slowness, round) => [
  sample(round, 'none', 100 * slowness),
  sample(round, 'ours', 110 * slowness),
  sample(round, 'refused', 77 * slowness),
]);

it('CPU time is compared within each round, and what refusing costs also in microseconds', () => {
  expect(gatewayVerdicts(samples)).toEqual([
    { target: 'CPU of ours to none ≤ 1.15 x', figure: 1.1, state: 'met' },
    { target: 'CPU of refused ≤ 75 µs', figure: 77, state: 'missed' },
    { target: 'CPU of refused to ours ≤ 0.6 x', figure: 0.7, state: 'missed' },
  ]);
});

it('a summary counts the answers that were none of the variant’s', () => {
  expect(summarizeGateways(samples).map(({ variant, unexpected }) => [variant, unexpected])).toEqual([
    ['none', 3],
    ['ours', 3],
    ['refused', 3],
  ]);
});
