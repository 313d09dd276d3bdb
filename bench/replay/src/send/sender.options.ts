import type { Clock } from '../clock.js';
import type { RetryPolicy } from '../options/settings.js';
import type { SendPlan } from '../schedule/send-plan.js';
import type { AttemptOutcome } from './attempt-outcome.js';
import type { Delivery } from './delivery.js';
import type { Ledger } from './ledger.js';

export interface SenderOptions {
  plan: SendPlan;
  maxConnections: number;
  retry: RetryPolicy;
  graceMs: number;
  clock: Clock;
  ledger: Ledger;
  /** A new delivery for the planned time with this index. */
  createDelivery: (index: number, plannedAtMs: number) => Delivery;
  post: (delivery: Delivery) => Promise<AttemptOutcome>;
}

export interface SendPhase {
  /** A reading of the clock: planned times count from here. */
  startedAtMs: number;
  /** Until the last delivery had ended and, unless stopped, the planned time was over. */
  durationMs: number;
}
