import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LogRecord } from './plan-entry.js';
import { PlanFold, type PlacedEntry } from './plan-fold.js';
import { readFrom } from './plan-start.js';

type Placed = readonly [offset: number, record: LogRecord];

const WRITERS = 4;

/** What happens to a log, one thing after another. */
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ reads: fc.nat(WRITERS - 1), upTo: fc.nat(8) }) },
  { weight: 4, arbitrary: fc.record({ appends: fc.nat(WRITERS - 1) }) },
  { weight: 1, arbitrary: fc.record({ crashes: fc.nat(WRITERS - 1) }) },
  { weight: 1, arbitrary: fc.constantFrom('marker' as const, 'garbage' as const, 'gap' as const) },
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

const log = fc.array(happening, { maxLength: 80 }).map(writtenBy);

/** Writers that read at their own pace, append on what they know, and crash between the two. */
function writtenBy(happenings: readonly Happening[]): Placed[] {
  const placed: Placed[] = [];
  const hasRead = Array.from({ length: WRITERS }, () => 0);
  let offset = 0;
  for (const happened of happenings) {
    if (happened === 'gap') offset += placed.length > 0 ? 1 : 0;
    else if (happened === 'marker') placed.push([offset++, { kind: 'marker', nonce: 'n' }]);
    else if (happened === 'garbage') placed.push([offset++, { kind: 'malformed', reason: 'r' }]);
    else if ('crashes' in happened) hasRead[happened.crashes] = 0;
    else if ('appends' in happened) {
      const known = currentOf(placed.slice(0, hasRead[happened.appends]));
      placed.push([offset, { kind: 'entry', entry: entryOn(known, `${offset}`) }]);
      offset++;
    } else {
      const before = hasRead[happened.reads] ?? 0;
      hasRead[happened.reads] = Math.min(placed.length, before + happened.upTo);
    }
  }
  return placed;
}

function entryOn(known: PlacedEntry | undefined, id: string) {
  const texts = { id, author: 'ada', reason: 'slow', change: 'c' };
  const logId = known?.entry.logId ?? `log of ${id}`;
  return { ...texts, logId, basedOn: known?.offset ?? -1, at: 0, overrides: {} };
}

/** The rule as it is said: from one valid entry to the first that is based on it. */
function validOf(placed: readonly Placed[]): PlacedEntry[] {
  const valid: PlacedEntry[] = [];
  for (;;) {
    const base = valid.at(-1)?.offset ?? -1;
    const next = placed.find(
      ([offset, record]) => offset > base && record.kind === 'entry' && record.entry.basedOn === base,
    );
    if (next?.[1].kind !== 'entry') return valid;
    valid.push({ offset: next[0], entry: next[1].entry });
  }
}

function currentOf(placed: readonly Placed[]): PlacedEntry | undefined {
  return validOf(placed).at(-1);
}

/** What a reader makes of it: the plan, and the entries that counted since the first it could tell. */
function foldOf(placed: readonly Placed[]): { fold: PlanFold; history: PlacedEntry[] } {
  const fold = new PlanFold();
  let history: PlacedEntry[] = [];
  for (const [offset, record] of placed) {
    const verdict = fold.feed(offset, record);
    if (verdict.kind !== 'valid') continue;
    history = verdict.isAnchor ? [verdict.placed] : [...history, verdict.placed];
  }
  return { fold, history };
}

/** As a process starts: it is given the end of the log, and reads again from what that is based on. */
function startedAt(placed: readonly Placed[], peeked: number): { fold: PlanFold; history: PlacedEntry[] } {
  const from = readFrom(new Map(placed.slice(peeked)));
  if (typeof from === 'number') {
    const read = foldOf(placed.filter(([offset]) => offset >= from));
    if (read.fold.isProven) return read;
  }
  return foldOf(placed);
}

describe('readers of one log, whoever wrote it, whoever raced or crashed', () => {
  it('agree on the plan and on the history when they read all of it', () => {
    fc.assert(
      fc.property(log, (placed) => {
        const { fold, history } = foldOf(placed);
        expect(fold.isProven).toBe(placed.length > 0);
        expect(fold.current).toEqual(currentOf(placed));
        expect(history).toEqual(validOf(placed));
      }),
      { numRuns: 500 },
    );
  });

  it('agree wherever the end of the log begins for them, and on all of the history they read', () => {
    fc.assert(
      fc.property(log, (placed) => {
        const valid = validOf(placed);
        for (let peeked = 0; peeked < placed.length; peeked++) {
          const { fold, history } = startedAt(placed, peeked);
          expect(fold.isProven).toBe(true);
          expect(fold.current).toEqual(valid.at(-1));
          expect(history).toEqual(valid.slice(valid.length - history.length));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('agree though some read parts twice', () => {
    const turns = fc.array(fc.record({ back: fc.nat(5), forth: fc.nat(9) }), { maxLength: 30 });
    fc.assert(
      fc.property(log, turns, (placed, chunks) => {
        const fold = new PlanFold();
        let at = 0;
        for (const { back, forth } of [...chunks, { back: 3, forth: placed.length + 3 }]) {
          at = Math.max(0, at - back);
          for (const [offset, record] of placed.slice(at, at + forth)) fold.feed(offset, record);
          at = Math.min(placed.length, at + forth);
        }
        expect(fold.current).toEqual(currentOf(placed));
      }),
    );
  });

  it('agree when retention has cut the log anywhere, so long as a change is left that counted', () => {
    fc.assert(
      fc.property(log, (placed) => {
        const valid = validOf(placed);
        for (let cut = 1; cut < placed.length; cut++) {
          const left = placed.slice(cut);
          const validLeft = valid.filter(({ offset }) => offset >= (left[0]?.[0] ?? 0));
          if (validLeft.length === 0) continue;
          const { fold, history } = foldOf(left);
          expect(fold.current).toEqual(valid.at(-1));
          expect(history).toEqual(validLeft);
        }
      }),
      { numRuns: 300 },
    );
  });
});
