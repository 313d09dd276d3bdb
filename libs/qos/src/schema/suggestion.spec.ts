import { describe, expect, it } from '@jest/globals';
import { suggest } from './suggestion.js';

const names = ['maxLatency', 'serviceTime', 'serviceTimeCv', 'workers', 'prefetch', 'type', 'timeout'];

describe('suggest', () => {
  it.each([
    ['prefech', 'prefetch'],
    ['max_latency', 'maxLatency'],
    ['maxLatencyMs', 'maxLatency'],
    ['servicetime', 'serviceTime'],
    ['worker', 'workers'],
    ['timeOut', 'timeout'],
  ])('takes %s for %s', (word, meant) => {
    expect(suggest(word, names)).toBe(meant);
  });

  it.each(['queues', 'x', '', 'constructor', 'prefetchprefetch'])('has no idea what %p should be', (word) => {
    expect(suggest(word, names)).toBeUndefined();
  });
});
