import type { Gateway } from './gateway-url.parser.js';

/** How much to send: for a time, or exactly so many deliveries. */
export type Amount = { kind: 'duration'; durationMs: number } | { kind: 'count'; countDeliveries: number };

/** Constant spacing, or exponential gaps (a Poisson process) from a seeded generator. */
export type Arrivals = { kind: 'constant' } | { kind: 'poisson'; seed: number };

/** `maxRetries` counts further attempts after the first. */
export type RetryPolicy = { kind: 'never' } | { kind: 'retry-after'; maxRetries: number };

/** Everything the run needs, validated once: no default is applied after this point. */
export interface Settings {
  readonly gateway: Gateway;
  readonly ratePerSec: number;
  readonly amount: Amount;
  readonly arrivals: Arrivals;
  readonly maxConnections: number;
  readonly requestTimeoutMs: number;
  readonly retry: RetryPolicy;
  /** How long after the last planned send a retry, or a request that waits for a connection, may still go out. */
  readonly graceMs: number;
  /** Key of X-Hub-Signature-256; undefined sends unsigned. */
  readonly secret: string | undefined;
  readonly isRowCheckWanted: boolean;
  readonly settleTimeoutMs: number;
  readonly isJson: boolean;
}
