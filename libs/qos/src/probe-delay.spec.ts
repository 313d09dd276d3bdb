import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { probeDelayMs, type ProbeDelayInput } from './probe-delay.js';

const quorum: ProbeDelayInput = {
  ready: 100,
  maxLength: 100,
  type: 'quorum',
  serviceTimeMs: 50,
  concurrencyTotal: 10,
};
const classic: ProbeDelayInput = { ...quorum, type: 'classic', serviceTimeMs: 400 };

describe('probeDelayMs', () => {
  it('waits until a quorum queue has drained to 80 %', () => {
    expect(probeDelayMs(quorum)).toBe(100);
    expect(probeDelayMs({ ...quorum, ready: 90 })).toBe(50);
  });

  it('waits for one place of a classic queue, also when one looks free already', () => {
    expect(probeDelayMs(classic)).toBe(40);
    expect(probeDelayMs({ ...classic, ready: 70 })).toBe(40);
  });

  it('waits longer for a classic queue above a limit that was lowered', () => {
    expect(probeDelayMs({ ...classic, ready: 104 })).toBe(200);
  });

  it('asks at most 50 times a second', () => {
    expect(probeDelayMs({ ...quorum, ready: 80 })).toBe(20);
    expect(probeDelayMs({ ...classic, concurrencyTotal: 1_000 })).toBe(20);
  });

  it('notices within half a second what no forecast knows, such as a raised limit', () => {
    expect(probeDelayMs({ ...quorum, serviceTimeMs: 60_000 })).toBe(500);
    expect(probeDelayMs({ ...classic, serviceTimeMs: 60_000 })).toBe(500);
  });

  it('is 50 ms when nobody has said how long a job takes', () => {
    expect(probeDelayMs({ ...quorum, serviceTimeMs: undefined })).toBe(50);
    expect(probeDelayMs({ ...classic, serviceTimeMs: undefined })).toBe(50);
  });

  it('is whole milliseconds from 20 to 500 at any fill', () => {
    const input = fc.record({
      ready: fc.nat(),
      maxLength: fc.integer({ min: 1, max: 1_000_000 }),
      type: fc.constantFrom('quorum' as const, 'classic' as const),
      serviceTimeMs: fc.option(fc.double({ min: 0.1, max: 3_600_000, noNaN: true }), { nil: undefined }),
      concurrencyTotal: fc.integer({ min: 1, max: 100_000 }),
    });
    fc.assert(
      fc.property(input, (fill) => {
        const delayMs = probeDelayMs(fill);
        expect(Number.isInteger(delayMs)).toBe(true);
        expect(delayMs).toBeGreaterThanOrEqual(20);
        expect(delayMs).toBeLessThanOrEqual(500);
      }),
    );
  });
});
