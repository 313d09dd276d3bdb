import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CALM, type Mark, step } from './hysteresis.js';
import { FLAPS_WITHIN_MS, MAX_CLEAR_AFTER_MS, type Patience } from './thresholds.js';

const PATIENCE: Patience = { raiseAfterMs: 10_000, clearAfterMs: 30_000 };
const AT_ONCE: Patience = { raiseAfterMs: 0, clearAfterMs: 20_000 };

interface Turn {
  readonly to: 'raised' | 'cleared';
  readonly atMs: number;
}

interface Look {
  readonly mark: Mark;
  readonly atMs: number;
}

/** One look a second: `o` over, `-` between, `u` under, `?` unknown. */
const MARKS: Readonly<Record<string, Mark>> = { o: 'over', '-': 'between', u: 'under', '?': 'unknown' };

const marks = fc.array(fc.constantFrom<Mark>('over', 'between', 'under', 'unknown'), { maxLength: 300 });
/** Long enough each that some are raised, and some cleared. */
const stretches = fc
  .array(fc.tuple(fc.constantFrom<Mark>('over', 'between', 'under', 'unknown'), fc.nat(80)))
  .map((all) => all.flatMap(([mark, length]) => Array<Mark>(length).fill(mark)));
const patience = fc.constantFrom(PATIENCE, AT_ONCE);

describe('a hysteresis', () => {
  it.each<[string, string, string[]]>([
    ['raises what has held long enough', `${'o'.repeat(10)}o`, ['raised at 10']],
    ['raises nothing that was over shorter', `${'o'.repeat(10)}u`, []],
    ['begins anew after a moment between the marks', `${'o'.repeat(9)}-${'o'.repeat(10)}u`, []],
    ['raises only by a look that is over', `${'o'.repeat(10)}???`, []],
    ['bridges a short time of which nothing is known', `oooo${'?'.repeat(9)}o`, ['raised at 13']],
    ['begins anew after a long one', `${'o'.repeat(9)}${'?'.repeat(15)}o`, []],
    ['raises nothing of which nothing is known', '?'.repeat(100), []],
    ['raises a constant condition once', 'o'.repeat(1_000), ['raised at 10']],
    [
      'clears what is gone long enough',
      `${'o'.repeat(11)}${'u'.repeat(31)}`,
      ['raised at 10', 'cleared at 41'],
    ],
    ['clears nothing that is gone shorter', `${'o'.repeat(11)}${'u'.repeat(30)}o`, ['raised at 10']],
    ['clears nothing between the marks', `${'o'.repeat(11)}${'-'.repeat(99)}`, ['raised at 10']],
    ['clears nothing of which nothing is known', `${'o'.repeat(11)}u${'?'.repeat(99)}`, ['raised at 10']],
  ])('%s', (_, signal, turns) => {
    const looks = Array.from(signal, (letter): Mark => MARKS[letter] ?? 'unknown');
    expect(turnsOf(everySecond(looks), PATIENCE).map(({ to, atMs }) => `${to} at ${atMs / 1_000}`)).toEqual(
      turns,
    );
  });

  it('raises at once where no patience is asked for', () => {
    expect(turnsOf(everySecond(['under', 'over']), AT_ONCE)).toEqual([{ to: 'raised', atMs: 1_000 }]);
  });

  it('counts no time that nobody looked for', () => {
    const seldom = (everyMs: number): Look[] =>
      Array.from({ length: 10 }, (_, index) => ({ mark: 'over', atMs: index * everyMs }));
    expect(turnsOf(seldom(15_000), PATIENCE)).toHaveLength(1);
    expect(turnsOf(seldom(15_001), PATIENCE)).toHaveLength(0);
  });

  it('begins anew when the clock goes back, and does not wait until it is where it was', () => {
    const looks = [1_000_000, 0, 5_000, 10_000].map((atMs): Look => ({ mark: 'over', atMs }));
    expect(turnsOf(looks, PATIENCE)).toEqual([{ to: 'raised', atMs: 10_000 }]);
  });

  it('asks twice the time of what comes back soon, up to ten minutes', () => {
    const turns = turnsOf(eager(3 * 3_600, AT_ONCE), AT_ONCE);
    const clearings = turns.filter(({ to }) => to === 'cleared').map(({ atMs }) => atMs);
    const raises = turns.filter(({ to }) => to === 'raised').map(({ atMs }) => atMs);
    const lasted = clearings.map((atMs, index) => (atMs - (raises[index] ?? 0)) / 1_000 - 1);
    expect(lasted.slice(0, 7)).toEqual([20, 40, 80, 160, 320, 600, 600]);
  });

  it('asks no more than at first of what comes back late', () => {
    const lateS = FLAPS_WITHIN_MS / 1_000;
    const episode: Mark[] = ['over', ...Array<Mark>(21).fill('under')];
    const pause = Array<Mark>(lateS).fill('under');
    const turns = turnsOf(everySecond([...episode, ...pause, ...episode, 'under']), AT_ONCE);
    expect(turns.map(({ to }) => to)).toEqual(['raised', 'cleared', 'raised', 'cleared']);
  });

  it('never raises twice without a clear between', () => {
    fc.assert(
      fc.property(fc.oneof(marks, stretches), patience, (signal, patient) => {
        const turns = turnsOf(everySecond(signal), patient);
        expect(turns.map(({ to }) => to)).toEqual(
          turns.map((_, index) => (index % 2 === 0 ? 'raised' : 'cleared')),
        );
      }),
    );
  });

  it('never raises twice within the time that a raise and a clear take, whatever the signal does', () => {
    fc.assert(
      fc.property(stretches, patience, (signal, patient) => {
        const raises = turnsOf(everySecond(signal), patient).filter(({ to }) => to === 'raised');
        for (const [index, { atMs }] of raises.slice(1).entries()) {
          const sinceMs = atMs - (raises[index]?.atMs ?? 0);
          expect(sinceMs).toBeGreaterThanOrEqual(patient.raiseAfterMs + patient.clearAfterMs);
        }
      }),
    );
  });

  it('raises a signal that toggles around its mark once at most, however long it goes on', () => {
    const other = fc.constantFrom<Mark>('under', 'between', 'unknown');
    fc.assert(
      fc.property(other, patience, fc.integer({ min: 1, max: 9 }), (mark, patient, everyS) => {
        const toggling = Array.from({ length: 3_600 }, (_, second): Mark =>
          Math.floor(second / everyS) % 2 === 0 ? 'over' : mark,
        );
        expect(turnsOf(everySecond(toggling), patient).length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('raises a dozen times an hour at most, even what goes and returns whenever it helps', () => {
    const raises = turnsOf(eager(3_600, AT_ONCE), AT_ONCE).filter(({ to }) => to === 'raised');
    expect(raises.length).toBeLessThanOrEqual(12);
    expect(MAX_CLEAR_AFTER_MS).toBe(600_000);
  });

  it('is raised only by what is over, and cleared only by what is under', () => {
    fc.assert(
      fc.property(stretches, patience, (signal, patient) => {
        for (const { to, atMs } of turnsOf(everySecond(signal), patient)) {
          expect(signal[atMs / 1_000]).toBe(to === 'raised' ? 'over' : 'under');
        }
      }),
    );
  });
});

function everySecond(signal: readonly Mark[]): Look[] {
  return signal.map((mark, second) => ({ mark, atMs: second * 1_000 }));
}

function turnsOf(looks: readonly Look[], patient: Patience): Turn[] {
  const turns: Turn[] = [];
  let state = CALM;
  for (const look of looks) {
    const next = step(state, look, patient);
    if (next.isRaised !== state.isRaised)
      turns.push({ to: next.isRaised ? 'raised' : 'cleared', atMs: look.atMs });
    state = next;
  }
  return turns;
}

/** What raises as often as it can: under while raised, and over the moment it is cleared. */
function eager(seconds: number, patient: Patience): Look[] {
  let state = CALM;
  return Array.from({ length: seconds }, (_, second): Look => {
    const look: Look = { mark: state.isRaised ? 'under' : 'over', atMs: second * 1_000 };
    state = step(state, look, patient);
    return look;
  });
}
