import { rounded } from './arithmetic.js';
import { formatDuration } from './duration.js';

/** A smaller share is shed once in a thousand jobs or less, which nobody would change anything for. */
const NOTICEABLE_RATIO = 0.001;

interface AdviceInput {
  readonly arrivalRatePerSec: number;
  readonly drainRatePerSec: number;
  readonly loadRatio: number;
  readonly utilizationRatio: number;
  readonly shedPerSec: number;
  readonly shedRatio: number;
  /** Whether `rate` rather than the handlers bounds what is finished. */
  readonly isRateLimited: boolean;
  readonly promise:
    { readonly maxLatencyMs: number; readonly isKept: boolean; readonly spareMs: number } | undefined;
}

/** What a forecast means for whoever turns the knobs. */
export function adviceOn(input: AdviceInput): string {
  const load = adviceOnLoad(input);
  return input.promise === undefined ? load : `${load}; ${verdictOn(input.promise)}`;
}

/** `44.4 %` */
export function percent(ratio: number): string {
  return `${rounded(ratio * 100, 1)} %`;
}

function adviceOnLoad(input: AdviceInput): string {
  const shed = `${rounded(input.shedPerSec, 1)}/s (${percent(input.shedRatio)})`;
  if (input.loadRatio >= 1) {
    const rates = `${rounded(input.arrivalRatePerSec)}/s arrive, ${rounded(input.drainRatePerSec)}/s can be done`;
    const cure = input.isRateLimited ? 'a higher rate gets' : 'more handlers or a shorter serviceTime get';
    return `saturated: ${rates}, ${shed} are shed; more queue buys only latency, ${cure} more done`;
  }
  const busy = `${percent(input.utilizationRatio)} of the handlers busy`;
  if (input.shedRatio < NOTICEABLE_RATIO) return `not saturated: ${busy}, practically nothing is shed`;
  return `not saturated: ${busy}, but ${shed} are shed in bursts, which a longer queue would take and keep waiting`;
}

function verdictOn({ maxLatencyMs, isKept, spareMs }: NonNullable<AdviceInput['promise']>): string {
  const promise = `promise of ${formatDuration(maxLatencyMs)}`;
  if (isKept) return `keeps its ${promise} with ${rounded(Math.max(0, spareMs), 1)} ms to spare`;
  return `breaks its ${promise} by ${rounded(-spareMs, 1)} ms`;
}
