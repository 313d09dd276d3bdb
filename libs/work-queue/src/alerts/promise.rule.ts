import { formatDuration } from '@spillway/qos';
import type { QueuePicture } from './alert.js';
import { BETWEEN, type Judgement, measured, over, under, UNKNOWN } from './rule.js';
import { LOW_MARK, MARKS } from './thresholds.js';

/**
 * Accepted work that waits longer than `maxLatency` promises for wait and service time together.
 *
 * A few waits cannot break a promise about 99 of 100, but they can show that it is kept again. None at all show it
 * only when nothing waits: a queue whose workers hang settles nothing either.
 */
export function judgePromise({ queue, ready, maxLatencyMs, wait }: QueuePicture): Judgement {
  if (maxLatencyMs === undefined || wait === undefined) return UNKNOWN;
  const { count, p99Ms } = wait;
  const promise = formatDuration(maxLatencyMs);
  if (count === 0) return ready === 0 ? under(`nothing waits in queue ${queue}`) : UNKNOWN;
  const waits = `in queue ${queue} 99 of 100 jobs waited up to ${measured(p99Ms)} (${count} in the last minute, promise ${promise})`;
  if (p99Ms <= LOW_MARK * maxLatencyMs) return under(waits);
  if (p99Ms <= maxLatencyMs) return BETWEEN;
  return count < MARKS.minWaits ? UNKNOWN : over(`${waits}: ${ADVICE}`);
}

const ADVICE =
  'the queue is longer than its workers can work off in time; ' +
  'compare workers, concurrency and serviceTime with what really runs, or promise less';
