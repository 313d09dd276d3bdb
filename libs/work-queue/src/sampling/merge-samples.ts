import type { QueueSample } from './queue-sample.js';
import { QueueTally } from './queue-tally.js';

/**
 * What several processes have seen of one queue, as if one had seen it all: the percentiles are those of the union.
 *
 * @returns undefined when there are none
 * @throws RangeError when they are of different queues
 */
export function mergeSamples(samples: readonly QueueSample[]): QueueSample | undefined {
  const [first] = samples;
  if (!first) return undefined;
  const tally = new QueueTally(first.queue, first.fromMs);
  for (const sample of samples) tally.add(sample);
  return tally.sample();
}
