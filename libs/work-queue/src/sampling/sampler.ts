import type { Telemetry } from '../telemetry/telemetry.js';
import type { QueueSample } from './queue-sample.js';
import { QueueTally } from './queue-tally.js';

export interface SamplerOptions {
  /** Milliseconds since 1970. */
  readonly startMs: number;
  /** Up to 80 KiB each. @default 256 */
  readonly maxQueues?: number;
}

const DEFAULT_MAX_QUEUES = 256;

/** Measures what one process does with its queues, by the events of its stages. */
export class Sampler {
  private readonly tallies = new Map<string, QueueTally>();
  private readonly unsubscribe: ReadonlyArray<() => void>;
  private readonly maxQueues: number;
  private lastTakenMs: number;
  private unsampled = 0;

  constructor(telemetry: Telemetry, { startMs, maxQueues = DEFAULT_MAX_QUEUES }: SamplerOptions) {
    this.maxQueues = maxQueues;
    this.lastTakenMs = startMs;
    this.unsubscribe = [
      telemetry.on('publish.accepted', ({ queue }) => this.tally(queue)?.publishAccepted()),
      telemetry.on('publish.refused', ({ queue, reason }) => this.tally(queue)?.publishRefused(reason)),
      telemetry.on('job.settled', (job) => this.tally(job.queue)?.settled(job)),
    ];
  }

  /** Events of queues beyond `maxQueues`, which are in no sample. */
  get unsampledEvents(): number {
    return this.unsampled;
  }

  /**
   * What happened since the last call, a sample for each queue of which anything was ever heard: that nothing happened is
   * worth knowing too.
   */
  take(nowMs: number): readonly QueueSample[] {
    const samples = Array.from(this.tallies.values(), (tally) => {
      const sample = tally.sample(nowMs);
      tally.reset(nowMs);
      return sample;
    });
    this.lastTakenMs = nowMs;
    return samples;
  }

  stop(): void {
    for (const off of this.unsubscribe) off();
  }

  private tally(queue: string): QueueTally | undefined {
    const known = this.tallies.get(queue);
    if (known) return known;
    if (this.tallies.size >= this.maxQueues) {
      this.unsampled++;
      return undefined;
    }
    const tally = new QueueTally(queue, this.lastTakenMs);
    this.tallies.set(queue, tally);
    return tally;
  }
}
