/** Why work will not be tried again. */
export type DeadReason = 'failed' | 'permanent' | 'undecodable' | 'invalid' | 'expired' | 'crashed';

/**
 * How the execution of one delivery ended. Settling turns it into what the broker is told. `attempts` counts every
 * attempt of the work that was made, this one included.
 */
export type Outcome =
  | { readonly kind: 'succeeded'; readonly attempts: number; readonly result: unknown }
  /** The handler says that it need not be done. */
  | { readonly kind: 'dropped'; readonly attempts: number; readonly error: unknown }
  | {
      readonly kind: 'retry';
      readonly attempts: number;
      readonly delayMs: number;
      readonly error: unknown;
    }
  /** Once more, later, and this attempt does not count. */
  | {
      readonly kind: 'defer';
      readonly attempts: number;
      readonly delayMs: number;
      readonly error: unknown;
    }
  | { readonly kind: 'dead'; readonly reason: DeadReason; readonly attempts: number; readonly error: unknown }
  /** It may have killed the process that had it before: it is to run alone, with one more start on record. */
  | {
      readonly kind: 'set-aside';
      readonly attempts: number;
      readonly starts: number;
      readonly delayMs: number;
    }
  | { readonly kind: 'returned'; readonly attempts: number };

/** An outcome, and how long the handler ran for it; undefined when it was not called. */
export interface Execution {
  readonly outcome: Outcome;
  readonly serviceTimeMs: number | undefined;
}
