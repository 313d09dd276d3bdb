import { mergeSamples } from './merge-samples.js';
import type { QueueSample } from './queue-sample.js';
import { QueueTally } from './queue-tally.js';

const MS_PER_SECOND = 1_000;

/** What is remembered. */
const WINDOW_SECONDS = 60;

interface Second {
  readonly second: number;
  readonly sample: QueueSample;
}

/**
 * The samples of one queue over the last minute, of all processes that measure it. Each second is kept by itself, as
 * the buckets that are not empty, and they are added up when somebody asks: exact at either length, 1 to 4 ms a
 * question, and memory grows with the spread of the times and not with the number of jobs or processes.
 */
export class SampleWindow {
  private past: readonly Second[] = [];
  private current: { readonly second: number; readonly tally: QueueTally } | undefined;

  constructor(private readonly queue: string) {}

  /** @param nowMs when it came, by a monotonic clock of this process: those of the senders may disagree */
  add(sample: QueueSample, nowMs: number): void {
    const second = secondOf(nowMs);
    if (this.current?.second !== second) {
      this.past = this.seconds().slice(1 - WINDOW_SECONDS);
      this.current = { second, tally: new QueueTally(this.queue, sample.fromMs) };
    }
    this.current.tally.add(sample);
  }

  /**
   * All of the last seconds as one.
   *
   * @param seconds at most 60; the one that is under way counts as one
   * @returns undefined when no sample has come in that time: nothing is known then, which is not the same as nothing
   * happened
   */
  last(seconds: number, nowMs: number): QueueSample | undefined {
    const before = secondOf(nowMs) - Math.min(seconds, WINDOW_SECONDS);
    const recent = this.seconds().filter(({ second }) => second > before);
    return mergeSamples(recent.map(({ sample }) => sample));
  }

  private seconds(): readonly Second[] {
    if (!this.current) return this.past;
    const { second, tally } = this.current;
    return [...this.past, { second, sample: tally.sample() }];
  }
}

function secondOf(ms: number): number {
  return Math.floor(ms / MS_PER_SECOND);
}
