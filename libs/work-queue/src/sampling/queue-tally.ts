import type { JobEnd, JobSettled } from '../telemetry/telemetry.js';
import {
  COUNTED_REASONS,
  type CountedReason,
  countedReason,
  JOB_ENDS,
  type QueueSample,
  TIME_KINDS,
  type TimeKind,
} from './queue-sample.js';
import { NO_TIMES, type TimeCounts } from './time-counts.js';
import { TimeHistogram } from './time-histogram.js';

/** Adds up what happens to one queue. */
export class QueueTally {
  private accepted = 0;
  private unknown = 0;
  private readonly refused = new Map<CountedReason, number>();
  private readonly ends = new Map<JobEnd, number>();
  /** Made when there is something to count: a gateway settles nothing, a worker publishes to few. */
  private readonly times = new Map<TimeKind, TimeHistogram>();
  private toMs: number;

  constructor(
    private readonly queue: string,
    private fromMs: number,
  ) {
    this.toMs = fromMs;
  }

  publishAccepted(): void {
    this.accepted++;
  }

  publishRefused(reason: string): void {
    if (reason === 'unknown') this.unknown++;
    else count(this.refused, countedReason(reason), 1);
  }

  settled({ end, attempt, serviceTimeMs, waitTimeMs }: JobSettled): void {
    count(this.ends, end, 1);
    if (serviceTimeMs !== undefined) {
      this.timesOf(end === 'succeeded' ? 'service' : 'failedService').record(serviceTimeMs);
    }
    // What is tried again has waited for its failures too; what is given back unstarted has not waited to the end.
    const isFirstStart = attempt <= 1 && (serviceTimeMs !== undefined || end === 'expired');
    if (isFirstStart && waitTimeMs !== undefined) this.timesOf('wait').record(waitTimeMs);
  }

  /** What others have seen of it. @throws RangeError for a sample of another queue */
  add(sample: QueueSample): void {
    if (sample.queue !== this.queue) {
      throw new RangeError(`samples of ${this.queue} and of ${sample.queue} cannot be merged`);
    }
    this.fromMs = Math.min(this.fromMs, sample.fromMs);
    this.toMs = Math.max(this.toMs, sample.toMs);
    this.accepted += sample.accepted;
    this.unknown += sample.unknown;
    for (const reason of COUNTED_REASONS) count(this.refused, reason, sample.refused[reason] ?? 0);
    for (const end of JOB_ENDS) count(this.ends, end, sample.ends[end] ?? 0);
    for (const kind of TIME_KINDS) if (sample[kind].total > 0) this.timesOf(kind).add(sample[kind]);
  }

  /** @param nowMs the end of what is counted here; what others have seen may go further */
  sample(nowMs: number = this.toMs): QueueSample {
    const { queue, fromMs, accepted, unknown } = this;
    return Object.freeze({
      queue,
      fromMs,
      toMs: Math.max(this.toMs, nowMs),
      accepted,
      unknown,
      refused: Object.freeze(Object.fromEntries(this.refused)),
      ends: Object.freeze(Object.fromEntries(this.ends)),
      service: this.countsOf('service'),
      failedService: this.countsOf('failedService'),
      wait: this.countsOf('wait'),
    });
  }

  /** Starts from nothing. */
  reset(fromMs: number): void {
    this.fromMs = fromMs;
    this.toMs = fromMs;
    this.accepted = 0;
    this.unknown = 0;
    this.refused.clear();
    this.ends.clear();
    for (const histogram of this.times.values()) histogram.reset();
  }

  private timesOf(kind: TimeKind): TimeHistogram {
    const known = this.times.get(kind);
    if (known) return known;
    const histogram = new TimeHistogram();
    this.times.set(kind, histogram);
    return histogram;
  }

  private countsOf(kind: TimeKind): TimeCounts {
    return this.times.get(kind)?.counts() ?? NO_TIMES;
  }
}

function count<Key>(counts: Map<Key, number>, key: Key, amount: number): void {
  if (amount > 0) counts.set(key, (counts.get(key) ?? 0) + amount);
}
