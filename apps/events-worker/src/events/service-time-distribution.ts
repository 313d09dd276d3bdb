import { parseDuration } from '@spillway/qos';

/** How long each job is made to take, in milliseconds. */
export type ServiceTimeDistribution =
  | { readonly kind: 'constant'; readonly durationMs: number }
  | { readonly kind: 'uniform'; readonly minMs: number; readonly maxMs: number }
  | { readonly kind: 'exponential'; readonly meanMs: number };

export type ServiceTimeResult = { distribution: ServiceTimeDistribution } | { problem: string };

const EXPECTED = 'expected a duration such as 20ms or a distribution uniform(5ms,40ms) / exponential(20ms)';
const UNIFORM = /^uniform\((?<min>[^,]+),(?<max>[^,]+)\)$/;
const EXPONENTIAL = /^exponential\((?<mean>[^,]+)\)$/;
/** Far above any use, and its longest exponential sample (37 times as long) still fits a timer. */
const MAX_DURATION_MS = 3_600_000;

/** Reads `20ms`, `uniform(5ms,40ms)` or `exponential(20ms)`, each duration from 0ms to 1h. */
export function parseServiceTime(text: string): ServiceTimeResult {
  const distribution = readDistribution(text);
  if (!distribution) return { problem: `${EXPECTED}, got: ${JSON.stringify(text)}` };
  if (distribution.kind === 'uniform' && distribution.minMs > distribution.maxMs) {
    return { problem: `expected the shorter duration first in uniform(…), got: ${JSON.stringify(text)}` };
  }
  if (longestMs(distribution) > MAX_DURATION_MS) {
    return { problem: `expected at most 1h, got: ${JSON.stringify(text)}` };
  }
  return { distribution };
}

/** @param random from 0 up to but not including 1, as `Math.random` gives it */
export function sampleServiceTimeMs(distribution: ServiceTimeDistribution, random: number): number {
  switch (distribution.kind) {
    case 'constant':
      return distribution.durationMs;
    case 'uniform':
      return distribution.minMs + random * (distribution.maxMs - distribution.minMs);
    case 'exponential':
      // n.b. 1 - random is never 0, whose logarithm is infinite.
      return -distribution.meanMs * Math.log(1 - random);
    default:
      return distribution satisfies never;
  }
}

function readDistribution(text: string): ServiceTimeDistribution | undefined {
  const uniform = UNIFORM.exec(text)?.groups;
  if (uniform) {
    const minMs = parseDuration(uniform.min?.trim());
    const maxMs = parseDuration(uniform.max?.trim());
    return minMs === undefined || maxMs === undefined ? undefined : { kind: 'uniform', minMs, maxMs };
  }
  const exponential = EXPONENTIAL.exec(text)?.groups;
  if (exponential) {
    const meanMs = parseDuration(exponential.mean?.trim());
    return meanMs === undefined ? undefined : { kind: 'exponential', meanMs };
  }
  const durationMs = parseDuration(text);
  return durationMs === undefined ? undefined : { kind: 'constant', durationMs };
}

function longestMs(distribution: ServiceTimeDistribution): number {
  if (distribution.kind === 'constant') return distribution.durationMs;
  return distribution.kind === 'uniform' ? distribution.maxMs : distribution.meanMs;
}
