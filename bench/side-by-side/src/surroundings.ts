import type { BenchVhost } from './broker/bench-vhost.js';

/** What a benchmark runs in. */
export interface Surroundings {
  readonly vhost: BenchVhost;
  /** Aborted on Ctrl-C: every child is killed. */
  readonly signal: AbortSignal;
  /** Progress, for people. */
  readonly say: (text: string) => void;
}
