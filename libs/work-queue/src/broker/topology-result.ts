import type { LimitInForce } from './limit-in-force.js';

export interface EnsuredQueue {
  /** Several processes that start at once may all have created it. */
  readonly wasCreated: boolean;
  readonly inForce: LimitInForce;
}

export type LimitCheck =
  | { readonly ok: true; readonly inForce: LimitInForce }
  | { readonly ok: false; readonly reason: string; readonly inForce: LimitInForce };
