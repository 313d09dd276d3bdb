/** Where one more term changes nothing that a double can hold. */
const NEGLIGIBLE = 1e-17;

/** Sums over the powers of a ratio r; every term is positive, so that nothing cancels, also where r is 1. */
export interface GeometricSums {
  readonly terms: number;
  /** 1 + r + ... + r^(terms - 1) */
  readonly sum: number;
  /** 1 + 2 r + ... + terms x r^(terms - 1) */
  readonly rising: number;
  /** r^terms */
  readonly next: number;
}

const NO_TERMS: GeometricSums = { terms: 0, sum: 0, rising: 0, next: 1 };

/** By doubling, in as many steps as the number of terms (an integer, 0 or more) has binary digits. */
export function geometricSums(ratio: number, terms: number): GeometricSums {
  const oneTerm: GeometricSums = { terms: 1, sum: 1, rising: 1, next: ratio };
  let sums = NO_TERMS;
  for (const digit of terms.toString(2)) {
    sums = joined(sums, sums);
    if (digit === '1') sums = joined(sums, oneTerm);
  }
  return sums;
}

function joined(first: GeometricSums, second: GeometricSums): GeometricSums {
  return {
    terms: first.terms + second.terms,
    sum: first.sum + first.next * second.sum,
    rising: first.rising + first.next * (second.rising + first.terms * second.sum),
    next: first.next * second.next,
  };
}

interface IdleInput {
  /** Handlers, at least 1. */
  readonly handlers: number;
  /** Handlers that the offered load would keep busy if nothing were shed: arrival rate x service time. */
  readonly offered: number;
}

/**
 * How many times more often at least one handler is idle than all are busy with nobody waiting; Infinity if
 * the latter practically never happens.
 *
 * It is `c/a + c(c-1)/a^2 + ...`, the Erlang B recursion `1/B = 1 + n/a x 1/B'` read from its end: the terms
 * fall below notice after about 9 sqrt(c), or the sum is infinite after about 40 sqrt(c).
 */
export function idleWeight({ handlers, offered }: IdleInput): number {
  let term = 1;
  let sum = 0;
  for (let busy = handlers; busy > 0; busy--) {
    term *= busy / offered;
    sum += term;
    if (sum === Infinity || term < sum * NEGLIGIBLE) break;
  }
  return sum;
}
