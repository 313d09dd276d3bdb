/** Lanczos approximation with g = 7 and nine terms: good to about 15 digits. */
const LANCZOS_G = 7;
const LANCZOS_FIRST = 0.99999999999980993;
const LANCZOS_REST = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** Where a series or a search has nothing more to gain from double precision. */
const PRECISION = 1e-15;
const SEARCH_PRECISION = 1e-12;

/** Below this the series would need thousands of terms, and the quantile is a straight line in cv anyway. */
const SMALLEST_CV = 0.001;

interface GammaQuantileInput {
  /** Mean of the distribution, more than 0, in any unit; the result has the same unit. */
  readonly mean: number;
  /** Coefficient of variation: standard deviation / mean. 0 = always the mean, 1 = exponential. */
  readonly cv: number;
  /** Probability, more than 0 and less than 1: 0.99 for the 99th percentile. */
  readonly p: number;
}

/** The value that a gamma distributed quantity of this mean and cv does not exceed with probability p. */
export function gammaQuantile({ mean, cv, p }: GammaQuantileInput): number {
  if (cv === 0) return mean;
  if (cv >= SMALLEST_CV) return mean * quantileOfMeanOne(cv, p);
  const slope = (quantileOfMeanOne(SMALLEST_CV, p) - 1) / SMALLEST_CV;
  return mean * (1 + slope * cv);
}

/** Bisection: slower than Newton's method, but it cannot leave the interval whatever the shape. */
function quantileOfMeanOne(cv: number, p: number): number {
  const shape = 1 / cv ** 2;
  let low = 0;
  let high = shape;
  while (regularizedGammaP(shape, high) < p) [low, high] = [high, high * 2];
  while (high - low > SEARCH_PRECISION * high) {
    const middle = (low + high) / 2;
    if (regularizedGammaP(shape, middle) < p) low = middle;
    else high = middle;
  }
  return high / shape;
}

/** P(shape, x): the share of a gamma distribution of scale 1 that lies below x. */
export function regularizedGammaP(shape: number, x: number): number {
  if (x <= 0) return 0;
  const factor = Math.exp(shape * Math.log(x) - x - logGamma(shape));
  return x < shape + 1 ? factor * lowerSeries(shape, x) : 1 - factor * upperContinuedFraction(shape, x);
}

/** Sum over n of x^n / (shape (shape + 1) ... (shape + n)); converges fast for x < shape + 1. */
function lowerSeries(shape: number, x: number): number {
  let term = 1 / shape;
  let sum = term;
  for (let n = 1; term > sum * PRECISION; n++) {
    term *= x / (shape + n);
    sum += term;
  }
  return sum;
}

/** The continued fraction of the upper incomplete gamma function by Lentz's method, for x >= shape + 1. */
function upperContinuedFraction(shape: number, x: number): number {
  let b = x + 1 - shape;
  let c = Number.MAX_VALUE;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1, change = 0; Math.abs(change - 1) > PRECISION; n++) {
    const a = n * (shape - n);
    b += 2;
    d = 1 / (a * d + b);
    c = b + a / c;
    change = c * d;
    fraction *= change;
  }
  return fraction;
}

function logGamma(x: number): number {
  const shifted = x - 1;
  const t = shifted + LANCZOS_G + 0.5;
  const sum = LANCZOS_REST.reduce(
    (total, term, index) => total + term / (shifted + index + 1),
    LANCZOS_FIRST,
  );
  return Math.log(2 * Math.PI) / 2 + (shifted + 0.5) * Math.log(t) - t + Math.log(sum);
}
