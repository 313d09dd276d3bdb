import type { DeadLetterSelection } from './selection.js';

export interface PeekOptions {
  /** Letters to show, 1..1000. @default 20 */
  readonly limit?: number;
  /** @default every letter */
  readonly selection?: DeadLetterSelection;
  readonly signal?: AbortSignal;
}

export interface CountOptions {
  /** Letters to count, 1..65535; others are not looked at. @default 10000 */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

export interface DiscardOptions {
  /** Counts what would go, and changes nothing. @default false */
  readonly dryRun?: boolean;
  /** Ends it between two letters. */
  readonly signal?: AbortSignal;
}

export interface RedriveOptions extends DiscardOptions {
  /**
   * Publishes a second, at most; more than 0. Too high, and redriven work takes the places of new work as fast as
   * workers free them; too low, and it takes long. @default 50
   */
  readonly ratePerSec?: number;
  /** Called after each selected letter, and whenever a letter has to wait. What it throws ends the run. */
  readonly onProgress?: (progress: RedriveProgress) => void;
}

export interface DeadLetterCount {
  /** Ready letters when the counting began. */
  readonly total: number;
  readonly counted: number;
  /** Largest first. */
  readonly classes: ReadonlyArray<{ readonly errorClass: string; readonly count: number }>;
  /** Every one of `total` was counted. False past `limit`, and when somebody else took some meanwhile. */
  readonly isComplete: boolean;
}

/**
 * How a run ended: after the last letter; by its signal; at a failure, which the next run may not meet; or because the
 * letters that were kept are as many as may be held at a time, so that none behind them could be looked at.
 */
export type RunEnd =
  | { readonly kind: 'finished' }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'held-limit' };

export interface RunResult {
  /** Letters that were ready at the start. The run looks at no more than these. */
  readonly ready: number;
  readonly looked: number;
  /** Selected, of those looked at. */
  readonly matched: number;
  /** Of those ready at the start, how many it left. */
  readonly left: number;
  /** Wanted ids that no letter had, of those looked at. */
  readonly notFound: readonly string[];
  readonly end: RunEnd;
}

export interface RedriveResult extends RunResult {
  /** Stored in the work queue, and removed here. */
  readonly redriven: number;
  /** Letters that can never be sent as they are; they stay. */
  readonly unsendable: ReadonlyArray<{ readonly id: string | undefined; readonly because: string }>;
}

export interface DiscardResult extends RunResult {
  readonly discarded: number;
}

export interface RedriveProgress {
  readonly ready: number;
  readonly looked: number;
  readonly matched: number;
  readonly redriven: number;
  /** Why the letter in hand was refused, and when it is tried again. */
  readonly waiting?: { readonly because: string; readonly forMs: number };
}
