import { type GivenOption, invalid, type Parsed, valid } from './parsed.js';

const MS_PER_UNIT: Record<string, number> = { ms: 1, s: 1_000, m: 60_000 };
const MAX_DURATION_MS = 3_600_000;
const MAX_RATE_PER_SEC = 100_000;

/** `500ms`, `10s`, `1.5m`, as milliseconds. The unit is required: a bare `10` could be meant either way. */
export function parseDurationMs(option: GivenOption, { minMs }: { minMs: number }): Parsed<number> {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(option.given) ?? [];
  const durationMs = Number(amount) * (MS_PER_UNIT[unit] ?? Number.NaN);
  if (durationMs >= minMs && durationMs <= MAX_DURATION_MS) return valid(durationMs);
  return invalid(option, `a duration from ${minMs}ms to 60m with its unit, such as 500ms, 10s or 1m`);
}

/** `200` or `200/s`, as deliveries per second. */
export function parseRatePerSec(option: GivenOption): Parsed<number> {
  const [, amount] = /^(\d+(?:\.\d+)?)(?:\/s)?$/.exec(option.given) ?? [];
  const ratePerSec = Number(amount);
  if (ratePerSec > 0 && ratePerSec <= MAX_RATE_PER_SEC) return valid(ratePerSec);
  return invalid(option, `a rate above 0 and up to ${MAX_RATE_PER_SEC} per second, such as 200 or 200/s`);
}

export function parseInteger(
  option: GivenOption,
  { min, max }: { min: number; max: number },
): Parsed<number> {
  const value = /^\d+$/.test(option.given) ? Number(option.given) : Number.NaN;
  if (value >= min && value <= max) return valid(value);
  return invalid(option, `a whole number from ${min} to ${max}`);
}
