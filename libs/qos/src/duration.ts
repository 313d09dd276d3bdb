export const MS_PER_SECOND = 1_000;
export const MS_PER_MINUTE = 60 * MS_PER_SECOND;
export const MS_PER_HOUR = 60 * MS_PER_MINUTE;

const MS_PER_UNIT: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', MS_PER_SECOND],
  ['m', MS_PER_MINUTE],
  ['h', MS_PER_HOUR],
]);

const DURATION = /^(?<amount>\d+(?:\.\d+)?)(?<unit>ms|s|m|h)$/;

const MICROSECONDS_PER_MS = 1_000;

/**
 * Reads a duration as people write it in a QoS file: `250ms`, `2s`, `1.5s`, `1m`, `1h`.
 *
 * @returns milliseconds, rounded to the microsecond; `undefined` for anything else. A number without a unit
 * is refused on purpose: nobody can tell whether 20 means milliseconds or seconds.
 */
export function parseDuration(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined;
  const { amount, unit } = DURATION.exec(text)?.groups ?? {};
  const msPerUnit = MS_PER_UNIT.get(unit ?? '');
  if (msPerUnit === undefined) return undefined;
  const durationMs = roundToMicrosecond(Number(amount) * msPerUnit);
  return Number.isFinite(durationMs) ? durationMs : undefined;
}

/** Writes milliseconds in the largest unit that needs no fraction: 2000 is `2s`, 1500 is `1500ms`. */
export function formatDuration(durationMs: number): string {
  const roundedMs = roundToMicrosecond(durationMs);
  if (roundedMs === 0) return '0ms';
  const fitting = [...MS_PER_UNIT].filter(([, msPerUnit]) => roundedMs % msPerUnit === 0).at(-1);
  const [unit, msPerUnit] = fitting ?? ['ms', 1];
  return `${roundedMs / msPerUnit}${unit}`;
}

/** 1.005 x 1000 is 1004.9999999999999 in floating point; a file that says `1.005s` means 1005 ms. */
function roundToMicrosecond(durationMs: number): number {
  return Math.round(durationMs * MICROSECONDS_PER_MS) / MICROSECONDS_PER_MS;
}
