const SECONDS_PER_HOUR = 3_600;

const SECONDS_PER_UNIT: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', SECONDS_PER_HOUR],
]);

/** A rate is written in the first unit in which it is at least 1 and needs no more decimals than these. */
const DECIMALS = 2;

/** Hides what the division by the unit did to the last digits. */
const SIGNIFICANT_DIGITS = 12;

const RATE = /^(?<amount>\d+(?:\.\d+)?)\/(?<unit>s|m|h)$/;

/** More than one process can start, so whoever writes more means something else. */
export const MAX_RATE_PER_SEC = 1_000_000;

/**
 * Reads a rate as people write it in a QoS file: `200/s`, `0.5/s`, `30/m`, `1000/h`.
 *
 * @returns jobs per second, more than 0 and at most {@link MAX_RATE_PER_SEC}; `undefined` for anything else. A
 * number without a unit is refused like a duration without one, and 0: it would not slow a queue down but stop it.
 */
export function parseRate(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined;
  const { amount, unit } = RATE.exec(text)?.groups ?? {};
  const seconds = SECONDS_PER_UNIT.get(unit ?? '');
  if (seconds === undefined) return undefined;
  const ratePerSec = Number(amount) / seconds;
  return ratePerSec > 0 && ratePerSec <= MAX_RATE_PER_SEC ? ratePerSec : undefined;
}

/** Writes a rate as in a QoS file, in the unit that reads best: 200 is `200/s`, 0.5 is `30/m`. */
export function formatRate(ratePerSec: number): string {
  for (const [unit, seconds] of SECONDS_PER_UNIT) {
    const amount = amountIn(ratePerSec, seconds);
    if (amount >= 1 && amount === Number(amount.toFixed(DECIMALS))) return `${amount}/${unit}`;
  }
  return `${amountIn(ratePerSec, SECONDS_PER_HOUR)}/h`;
}

function amountIn(ratePerSec: number, seconds: number): number {
  return Number((ratePerSec * seconds).toPrecision(SIGNIFICANT_DIGITS));
}
