import { Z_P99 } from './latency-law.js';
import type { QueueSize, QueueSizeInput } from './sizing.js';

/** `1 gateway`, `2 gateways`. */
export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}

/** A number as one writes it on paper. */
export function rounded(value: number, decimals = 2): string {
  return String(Math.round(value * 10 ** decimals) / 10 ** decimals);
}

/** What is left of the jobs that fit: `127 (...) - 0 prefetched beyond the handlers - 11 unconfirmed (...)`. */
export function subtraction(input: QueueSizeInput, size: QueueSize): string {
  const fitting = `${Math.floor(size.jobs)} (jobs that fit a p99 sojourn of ${rounded(input.maxLatencyMs)} ms)`;
  const prefetched = ` - ${size.prefetchSurplus} prefetched beyond the handlers`;
  if (size.unconfirmed === 0) return fitting + prefetched;
  return `${fitting}${prefetched} - ${size.unconfirmed} unconfirmed (${windows(input.gateways, size.window)})`;
}

/** Where the number of fitting jobs comes from, with every number needed to redo it. */
export function derivation(input: QueueSizeInput, size: QueueSize): string {
  const jobs = jobsOnPaper(size.jobs);
  const a = Z_P99 * input.serviceTimeCv;
  const b = ((input.maxLatencyMs - size.serviceTimeP99Ms) * size.handlers) / input.serviceTimeMs;
  const waitMs = `${rounded(input.maxLatencyMs)} ms - ${rounded(size.serviceTimeP99Ms)} ms own service time p99`;
  return [
    `${Math.floor(size.jobs)} = floor(${jobs})`,
    `${jobs} = ((sqrt(a^2 + 4b) - a) / 2)^2`,
    `a = ${Z_P99} x cv ${input.serviceTimeCv} = ${rounded(a, 3)}`,
    `b = (${waitMs}) x ${speed(size.handlers, input.serviceTimeMs)} = ${rounded(b)}`,
  ].join(', ');
}

/** How fast jobs are done: `10 handlers / 50 ms`. */
export function speed(handlers: number, serviceTimeMs: number): string {
  return `${count(handlers, 'handler')} / ${rounded(serviceTimeMs)} ms`;
}

export function windows(gateways: number, window: number): string {
  return `${count(gateways, 'gateway')} x window ${window}`;
}

/** Never rounded up to the next integer, or the floor on paper would not be the one computed. */
function jobsOnPaper(jobs: number): string {
  return rounded(Math.min(Math.round(jobs * 100) / 100, Math.floor(jobs) + 0.99));
}
