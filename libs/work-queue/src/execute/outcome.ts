/** Why work will not be tried again. */
export type DeadReason = 'failed' | 'permanent' | 'undecodable' | 'invalid' | 'expired';

/** How the execution of one delivery ended. Settling turns it into what the broker is told. */
export type Outcome =
  | { readonly kind: 'succeeded'; readonly attempts: number; readonly result: unknown }
  | { readonly kind: 'dead'; readonly reason: DeadReason; readonly attempts: number; readonly error: unknown }
  | { readonly kind: 'returned'; readonly attempts: number };
