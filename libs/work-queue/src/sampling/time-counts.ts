/**
 * What a `TimeHistogram` has counted: the buckets that are not empty, in order, and how many times fell in each. Never
 * written to once it is made.
 */
export interface TimeCounts {
  readonly buckets: Uint16Array;
  readonly counts: Float64Array;
  /** Sum of the counts. */
  readonly total: number;
  /** How many of them were out of range and count as the nearest time in it. */
  readonly clamped: number;
}

export const NO_TIMES: TimeCounts = {
  buckets: new Uint16Array(),
  counts: new Float64Array(),
  total: 0,
  clamped: 0,
};
