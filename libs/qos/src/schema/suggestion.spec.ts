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

  it.each(['queues', 'x', '', 'constructor', 'prefetch'.repeat(1_000)])(
    'has no idea what %.20s should be',
    (word) => {
      expect(suggest(word, names)).toBeUndefined();
    },
  );
});
