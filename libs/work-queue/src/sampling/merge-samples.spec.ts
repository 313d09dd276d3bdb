import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type JobSettled, Telemetry } from '../telemetry/telemetry.js';
import { mergeSamples } from './merge-samples.js';
import type { QueueSample } from './queue-sample.js';
import { Sampler } from './sampler.js';

interface Seen {
  readonly waitTimeMs: number;
  readonly serviceTimeMs: number;
  readonly end: JobSettled['end'];
  readonly refusal: string | undefined;
}

const seen: fc.Arbitrary<Seen> = fc.record({
  waitTimeMs: fc.double({ min: 0, max: 10_000, noNaN: true }),
  serviceTimeMs: fc.double({ min: 0, max: 10_000, noNaN: true }),
  end: fc.constantFrom('succeeded', 'retried', 'dead-lettered'),
  refusal: fc.constantFrom(undefined, 'queue-full', 'unknown'),
});

describe('samples of several processes', () => {
  it('are together what one process would have measured that had seen all of it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(seen, { maxLength: 20 }), { minLength: 1, maxLength: 5 }),
        (processes) => {
          expect(mergeSamples(processes.map((all) => sampleOf(all)))).toEqual(sampleOf(processes.flat()));
        },
      ),
    );
  });

  it('reach from the first beginning to the last end', () => {
    const merged = mergeSamples([sampleOf([], 5, 9), sampleOf([], 3, 7), sampleOf([], 4, 11)]);
    expect(merged).toMatchObject({ fromMs: 3, toMs: 11 });
  });

  it('are nothing when there are none', () => {
    expect(mergeSamples([])).toBeUndefined();
  });

  it('of different queues are not mixed', () => {
    const other = { ...sampleOf([]), queue: 'mails' };
    expect(() => mergeSamples([sampleOf([]), other])).toThrow(
      new RangeError('samples of orders and of mails cannot be merged'),
    );
  });
});

function sampleOf(all: readonly Seen[], fromMs = 0, toMs = 1_000): QueueSample {
  const telemetry = new Telemetry();
  const sampler = new Sampler(telemetry, { startMs: fromMs });
  telemetry.emit('publish.accepted', { queue: 'orders', messageId: 'id-1', confirmMs: 1 });
  for (const { refusal, ...job } of all) {
    const event = { queue: 'orders', messageId: 'id-1', attempt: 1, retryInMs: undefined, ...job };
    telemetry.emit('job.settled', event);
    if (refusal) telemetry.emit('publish.refused', { ...event, reason: refusal, detail: '' });
  }
  const [sample] = sampler.take(toMs);
  if (!sample) throw new Error('nothing was sampled');
  // Each process accepted one; what is compared is the rest.
  return { ...sample, accepted: 0 };
}
