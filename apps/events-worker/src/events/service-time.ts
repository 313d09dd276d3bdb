import { setTimeout as delay } from 'node:timers/promises';
import { type ServiceTimeDistribution, sampleServiceTimeMs } from './service-time-distribution.js';

/**
 * - `waiting` leaves the processor free, as a call to another service does: concurrency adds throughput.
 * - `cpu` keeps it busy and blocks everything else in the process, heartbeats included: concurrency adds nothing.
 */
export type ServiceTimeMode = 'waiting' | 'cpu';

export interface ServiceTimeOptions {
  /** Undefined: jobs are not slowed. */
  readonly distribution: ServiceTimeDistribution | undefined;
  readonly mode: ServiceTimeMode;
}

const NANOSECONDS_PER_MS = 1e6;

/** Makes jobs take longer than they do, so that queues can be watched as they fill. */
export class ServiceTime {
  constructor(
    private readonly options: ServiceTimeOptions,
    private readonly random: () => number = Math.random,
  ) {}

  /**
   * Resolves after one sample of the distribution; at once without one.
   * Timers count whole milliseconds, so a wait may be up to about 1 ms longer; the busy loop is exact.
   *
   * @throws the AbortError of an aborted signal, at once in `waiting`; a busy loop cannot be interrupted
   */
  async spend(signal: AbortSignal): Promise<void> {
    const { distribution, mode } = this.options;
    if (!distribution) return;
    signal.throwIfAborted();
    const durationMs = sampleServiceTimeMs(distribution, this.random());
    if (mode === 'waiting') await delay(durationMs, undefined, { signal });
    else keepBusy(durationMs);
  }
}

function keepBusy(durationMs: number): void {
  const end = process.hrtime.bigint() + BigInt(Math.round(durationMs * NANOSECONDS_PER_MS));
  while (process.hrtime.bigint() < end);
}
