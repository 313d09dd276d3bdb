/** Everybody's place in the order moves by one from turn to turn: nobody always follows the same one. */
export function rotated<T>(items: readonly T[], turn: number): T[] {
  const first = turn % Math.max(1, items.length);
  return [...items.slice(first), ...items.slice(0, first)];
}

/** A figure of one round. */
export interface OfRound {
  readonly round: number;
  readonly value: number;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @returns undefined of nothing */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  const [below, above] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (min === undefined || max === undefined || below === undefined || above === undefined) return undefined;
  return { median: (below + above) / 2, min, max };
}

/**
 * The ratio within each round, and of these the median: a machine that is slow for a while is slow for both.
 * @returns undefined when no round has both
 */
export function medianRatio(of: readonly OfRound[], to: readonly OfRound[]): number | undefined {
  const ratios = of.flatMap(({ round, value }) =>
    to.filter((other) => other.round === round).map((other) => value / other.value),
  );
  return spreadOf(ratios)?.median;
}
