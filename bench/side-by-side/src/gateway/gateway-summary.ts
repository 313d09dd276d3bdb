import { medianRatio, type OfRound, type Spread, spreadOf } from '../report/rounds.js';
import { atMost, type Verdict } from '../report/verdict.js';
import { GATEWAY_VARIANTS, type GatewayVariant } from './gateway-variant.js';

export interface GatewaySample {
  readonly round: number;
  readonly variant: GatewayVariant;
  readonly requestsPerSec: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of the gateway's process per request. */
  readonly cpuUs: number;
  /** Answers with another status than the variant is there for. */
  readonly unexpected: number;
}

export interface GatewaySummary {
  readonly variant: GatewayVariant;
  readonly requestsPerSec: Spread;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  readonly cpuUs: Spread;
  /** CPU time to that of `none` within each round. */
  readonly cpuRatioToNone: number | undefined;
  readonly unexpected: number;
}

const MAX_REFUSED_CPU_US = 75;

export const summarizeGateways = (samples: readonly GatewaySample[]): GatewaySummary[] =>
  GATEWAY_VARIANTS.flatMap((variant) => summaryOf(samples, variant) ?? []);

function summaryOf(all: readonly GatewaySample[], variant: GatewayVariant): GatewaySummary | undefined {
  const samples = all.filter((sample) => sample.variant === variant);
  const requestsPerSec = spreadOf(samples.map((sample) => sample.requestsPerSec));
  const p50Ms = spreadOf(samples.map((sample) => sample.p50Ms));
  const p99Ms = spreadOf(samples.map((sample) => sample.p99Ms));
  const cpuUs = spreadOf(samples.map((sample) => sample.cpuUs));
  if (!requestsPerSec || !p50Ms || !p99Ms || !cpuUs) return undefined;
  const cpuRatioToNone = cpuRatio(all, variant, 'none');
  const unexpected = samples.reduce((sum, sample) => sum + sample.unexpected, 0);
  return { variant, requestsPerSec, p50Ms, p99Ms, cpuUs, cpuRatioToNone, unexpected };
}

function cpuRatio(all: readonly GatewaySample[], of: GatewayVariant, to: GatewayVariant): number | undefined {
  const cpu = (variant: GatewayVariant): OfRound[] =>
    all.filter((sample) => sample.variant === variant).map(({ round, cpuUs }) => ({ round, value: cpuUs }));
  return medianRatio(cpu(of), cpu(to));
}

/** What we want an accepted and a refused order to cost the gateway. */
export function gatewayVerdicts(samples: readonly GatewaySample[]): Verdict[] {
  const refused = summarizeGateways(samples).find(({ variant }) => variant === 'refused');
  const figures = {
    accepted: cpuRatio(samples, 'ours', 'none'),
    refusedToAccepted: cpuRatio(samples, 'refused', 'ours'),
  };
  return [
    atMost({ name: 'CPU of ours to none', bound: 1.15, unit: 'x', figure: figures.accepted }),
    atMost({
      name: 'CPU of refused',
      bound: MAX_REFUSED_CPU_US,
      unit: 'µs',
      figure: refused?.cpuUs.median,
    }),
    atMost({ name: 'CPU of refused to ours', bound: 0.6, unit: 'x', figure: figures.refusedToAccepted }),
  ];
}
