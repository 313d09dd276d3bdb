/** A worker among which a budget is divided. */
export interface ShareClaim {
  /** The most it can take: its own concurrency. Zero or more. */
  readonly capacity: number;
  /** What it has now; it keeps that as far as a fair division allows. */
  readonly held: number;
}

/**
 * Divides a budget of handlers over workers: equal shares, none beyond a worker's capacity, as much of the budget
 * as they can take. What does not divide goes one each, first to those that hold more than the rest get anyway,
 * then by rank, so that a join or a leave moves as little as a fair division can. Among more workers than budget
 * the rest get 0.
 *
 * @param budget integer; below 0 counts as 0
 * @param claims in order of rank, which is to be the same whoever divides
 * @returns the shares, in the order of the claims
 */
export function divideBudget(budget: number, claims: readonly ShareClaim[]): number[] {
  const level = levelOf(
    Math.max(0, budget),
    claims.map(({ capacity }) => capacity),
  );
  const shares = claims.map(({ capacity }) => Math.min(capacity, level));
  const left = Math.max(0, budget) - sum(shares);
  for (const index of moreWanted(claims, level).slice(0, left)) shares[index] = level + 1;
  return shares;
}

/** The largest share that everybody can have who can take it. */
function levelOf(budget: number, capacities: readonly number[]): number {
  let left = budget;
  let claimants = capacities.length;
  let level = 0;
  for (const capacity of capacities.toSorted((one, other) => one - other)) {
    level = Math.floor(left / claimants);
    if (capacity > level) return level;
    left -= capacity;
    claimants -= 1;
  }
  return level;
}

/** Who could take one more than the level; those first who have it already. */
function moreWanted(claims: readonly ShareClaim[], level: number): number[] {
  const wanting = [...claims.keys()].filter((index) => (claims[index]?.capacity ?? 0) > level);
  const keeps = (index: number): boolean => (claims[index]?.held ?? 0) > level;
  return [...wanting.filter(keeps), ...wanting.filter((index) => !keeps(index))];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
