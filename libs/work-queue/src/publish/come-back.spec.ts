import { describe, expect, it } from '@jest/globals';
import { type Circumstances, comeBackMs } from './come-back.js';
import type { ComeBack, PublishTarget } from './publish-decision.js';

const TARGET: PublishTarget = {
  name: 'orders',
  type: 'quorum',
  overflow: 'reject-publish',
  maxLength: 1_000,
  serviceTimeMs: 50,
  concurrencyTotal: 10,
};
const CALM: Circumstances = { ready: 1_000, demand: 1, troubleForMs: 0, lastAcceptedMs: 0 };

function comeBackAfter(comeBack: ComeBack, circumstances: Partial<Circumstances> = {}, random = 0) {
  return comeBackMs(comeBack, TARGET, { ...CALM, ...circumstances }, random);
}

describe('a refused client', () => {
  it('never comes back when trying again cannot help', () => {
    expect(comeBackAfter('never', { troubleForMs: 9_000 })).toBeUndefined();
  });

  it('comes back soon when a moment may be enough, however long other trouble lasts', () => {
    expect(comeBackAfter('soon', { troubleForMs: 9_000 })).toBe(1_000);
  });

  it('backs off as long as the trouble has lasted, from a second to a minute', () => {
    expect(comeBackAfter('backing-off')).toBe(1_000);
    expect(comeBackAfter('backing-off', { troubleForMs: 9_000 })).toBe(9_000);
    expect(comeBackAfter('backing-off', { troubleForMs: 3_600_000 })).toBe(60_000);
  });

  it('comes back to a full queue when workers have drained it to where it accepts', () => {
    // (1,600 - 800) x 50 ms / 10 handlers
    expect(comeBackAfter('drained', { ready: 1_600 })).toBe(4_000);
  });

  it('comes back later when more are refused than accepted', () => {
    expect(comeBackAfter('drained', { ready: 1_600, demand: 3 })).toBe(12_000);
  });

  it('comes back the later the longer a full queue has taken nothing at all', () => {
    const stuck = { ready: 1_600, demand: undefined };
    expect(comeBackAfter('drained', { ...stuck, lastAcceptedMs: 1_000 })).toBe(4_000);
    expect(comeBackAfter('drained', { ...stuck, lastAcceptedMs: 12_000 })).toBe(12_000);
  });

  it('takes a queue that nobody could read for just full', () => {
    // (1,000 - 800) x 50 ms / 10 handlers
    expect(comeBackAfter('drained', { ready: undefined, demand: 2 })).toBe(2_000);
  });

  it.each<ComeBack>(['soon', 'backing-off', 'drained'])(
    'comes back (%s) at another moment than the others',
    (comeBack) => {
      const [earliest = 0, latest = 0] = [0, 0.999].map((random) => comeBackAfter(comeBack, {}, random));
      expect(latest - earliest).toBeGreaterThanOrEqual(1_000);
    },
  );
});
