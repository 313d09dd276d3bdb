import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Gate, type Permit } from './gate.js';

const PROBE_DELAY_MS = 50;
const WINDOW = 8;

function enter(gate: Gate, now: number): Permit {
  const permit = gate.enter(now);
  if (!permit) throw new Error(`shed at ${now}`);
  return permit;
}

function shutGate(refusesByChannel = false): Gate {
  const gate = new Gate(WINDOW, refusesByChannel);
  gate.shut(enter(gate, 0), 0, PROBE_DELAY_MS);
  return gate;
}

describe('a gate', () => {
  it('lets everything through until something is nacked', () => {
    const gate = new Gate(WINDOW, false);
    for (let count = 0; count < 100; count++) expect(enter(gate, 0).isProbe).toBe(false);
    expect(gate.isShut).toBe(false);
  });

  it('sheds everything after a nack, and lets one through when the time has come to look', () => {
    const gate = shutGate();
    expect(gate.enter(PROBE_DELAY_MS - 1)).toBeUndefined();
    expect(gate.isProbeDue(PROBE_DELAY_MS)).toBe(true);
    expect(enter(gate, PROBE_DELAY_MS).isProbe).toBe(true);
    expect(gate.enter(PROBE_DELAY_MS)).toBeUndefined();
  });

  it('goes on shedding after a probe that was nacked or told nothing', () => {
    const gate = shutGate();
    gate.shut(enter(gate, 50), 60, PROBE_DELAY_MS);
    expect(gate.enter(109)).toBeUndefined();
    gate.inconclusive(enter(gate, 110), 120, PROBE_DELAY_MS);
    expect(gate.enter(169)).toBeUndefined();
    expect(enter(gate, 170).isProbe).toBe(true);
  });

  it('is not kept shut by the nacks of what was sent before it shut', () => {
    const gate = new Gate(WINDOW, false);
    const [first, second] = [enter(gate, 0), enter(gate, 0)];
    gate.shut(first, 10, PROBE_DELAY_MS);
    gate.shut(second, 55, PROBE_DELAY_MS);
    expect(enter(gate, 60).isProbe).toBe(true);
  });

  it('does not open for the acks of what was sent before it shut', () => {
    const gate = new Gate(WINDOW, false);
    const [first, second] = [enter(gate, 0), enter(gate, 0)];
    gate.shut(first, 10, PROBE_DELAY_MS);
    gate.accepted(second);
    expect(gate.enter(11)).toBeUndefined();
  });

  it('opens slowly after an accepted probe: one more outstanding with each that is accepted', () => {
    const gate = shutGate();
    gate.accepted(enter(gate, 50));
    const first = [enter(gate, 51), enter(gate, 51)];
    expect(gate.enter(51)).toBeUndefined();
    first.forEach((permit) => gate.accepted(permit));
    const second = Array.from({ length: 4 }, () => enter(gate, 52));
    expect(gate.enter(52)).toBeUndefined();
    second.forEach((permit) => gate.accepted(permit));
    for (let count = 0; count < 100; count++) enter(gate, 53);
  });

  it('gives the place of an inconclusive publish to the next while it opens', () => {
    const gate = shutGate();
    gate.accepted(enter(gate, 50));
    const permits = [enter(gate, 51), enter(gate, 51)];
    permits.forEach((permit) => gate.inconclusive(permit, 52, PROBE_DELAY_MS));
    enter(gate, 53);
    enter(gate, 53);
    expect(gate.enter(53)).toBeUndefined();
  });

  it('shuts again at the first nack while it opens', () => {
    const gate = shutGate();
    gate.accepted(enter(gate, 50));
    gate.shut(enter(gate, 51), 52, PROBE_DELAY_MS);
    expect(gate.enter(101)).toBeUndefined();
    expect(enter(gate, 102).isProbe).toBe(true);
  });

  it('lets another probe through when one does not come back', () => {
    const gate = shutGate();
    enter(gate, 50);
    expect(gate.enter(1_049)).toBeUndefined();
    expect(enter(gate, 1_050).isProbe).toBe(true);
  });

  it('probes a queue that refuses by channel with a new channel every half second', () => {
    const gate = shutGate(true);
    const probes: Array<[number, boolean]> = [];
    for (let now = 50; now <= 1_100; now += 50) {
      const probe = enter(gate, now);
      if (probe.isOnNewChannel) probes.push([now, probe.isOnNewChannel]);
      gate.shut(probe, now, PROBE_DELAY_MS);
    }
    expect(probes.map(([now]) => now)).toEqual([500, 1_000]);
  });
});

/** What can happen to a gate and what it let through. */
type Step =
  | { kind: 'enter' }
  | { kind: 'pass time'; ms: number }
  | { kind: 'end'; how: 'accepted' | 'shut' | 'inconclusive'; which: number; delayMs: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'enter' } as const) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass time' as const), ms: fc.nat(1_500) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      how: fc.constantFrom('accepted', 'shut', 'inconclusive'),
      which: fc.nat(20),
      delayMs: fc.integer({ min: 20, max: 500 }),
    }),
  },
);

/** Plays a history; permits that are not ended stay out for ever. */
function play(gate: Gate, steps: readonly Step[]): { now: number; out: Permit[]; probedAt: number[] } {
  const played = { now: 0, out: [] as Permit[], probedAt: [] as number[] };
  for (const next of steps) {
    if (next.kind === 'pass time') played.now += next.ms;
    else if (next.kind === 'enter') {
      const wasDue = gate.isProbeDue(played.now);
      const permit = gate.enter(played.now);
      if ((permit?.isProbe ?? false) !== wasDue) throw new Error(`a probe was due: ${wasDue}`);
      if (permit?.isProbe) played.probedAt.push(played.now);
      if (permit) played.out.push(permit);
    } else {
      const [permit] = played.out.splice(next.which, 1);
      if (!permit) continue;
      if (next.how === 'accepted') gate.accepted(permit);
      else gate[next.how](permit, played.now, next.delayMs);
    }
  }
  return played;
}

describe('a gate, whatever happened to it,', () => {
  it('is wide open soon after the queue takes everything again', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, refusesByChannel) => {
        const gate = new Gate(WINDOW, refusesByChannel);
        const { now: start, out } = play(gate, steps);
        // What is still out ends as a publish does that nobody answers.
        for (const permit of out) gate.inconclusive(permit, start, 500);
        for (let now = start; now <= start + 2_000; now += 10) {
          const permit = gate.enter(now);
          if (permit) gate.accepted(permit);
        }
        expect(gate.isOpen).toBe(true);
      }),
    );
  });

  it('lets a probe through in time even if no probe ever comes back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const gate = new Gate(WINDOW, true);
        const { now } = play(gate, steps);
        expect(gate.isShut).toBe(gate.enter(now + 1_500)?.isProbe ?? false);
      }),
    );
  });

  it('never has more than one probe in 20 ms', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const { probedAt } = play(new Gate(WINDOW, false), steps);
        const pauses = probedAt.map((at, index) => at - (probedAt[index - 1] ?? -20));
        expect(pauses.filter((pause) => pause < 20)).toEqual([]);
      }),
    );
  });
});
