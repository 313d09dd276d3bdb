import { beforeEach, describe, expect, it } from '@jest/globals';
import { PlanFold, type Verdict } from './plan-fold.js';
import type { LogRecord } from './plan-entry.js';

let fold: PlanFold;

beforeEach(() => {
  fold = new PlanFold();
});

function entry(basedOn: number, logId = 'log-1'): LogRecord {
  const texts = { id: 'id', author: 'ada', reason: 'slow', change: 'orders: prefetch 20' };
  return { kind: 'entry', entry: { ...texts, logId, basedOn, at: 0, overrides: {} } };
}

const MARKER: LogRecord = { kind: 'marker', nonce: 'nonce-1' };
const MALFORMED: LogRecord = { kind: 'malformed', reason: 'it is not a JSON object' };

function feed(...records: ReadonlyArray<readonly [number, LogRecord]>): string[] {
  return records.map(([offset, record]) => shown(fold.feed(offset, record)));
}

function shown(verdict: Verdict): string {
  if (verdict.kind === 'valid') return verdict.isAnchor ? 'anchor' : 'valid';
  return verdict.kind === 'loser' ? `loser: ${verdict.reason}` : verdict.kind;
}

describe('a log read from its start', () => {
  it('has no plan, and that for sure, while there are only markers and what nobody can read', () => {
    expect(fold.isProven).toBe(false);
    expect(feed([0, MARKER], [1, MALFORMED])).toEqual(['marker', 'malformed']);
    expect(fold.current).toBeUndefined();
    expect(fold.isProven).toBe(true);
  });

  it('is a chain: each entry counts that is based on the one before', () => {
    expect(feed([0, entry(-1)], [1, entry(0)], [2, MARKER], [3, entry(1)])).toEqual([
      'anchor',
      'valid',
      'marker',
      'valid',
    ]);
    expect(fold.current?.offset).toBe(3);
    expect(fold.newestOffset).toBe(3);
  });

  it('has one winner of a race, the first in the log', () => {
    expect(feed([0, entry(-1)], [1, entry(-1, 'log-2')], [2, entry(0)], [3, entry(0)])).toEqual([
      'anchor',
      'loser: another with its base or a later one came first',
      'valid',
      'loser: it is based on 0, which is not the plan any more, or never was',
    ]);
    expect(fold.current?.offset).toBe(2);
  });

  it('never takes what is based on a loser, on nothing, on itself or on what is to come', () => {
    expect(
      feed(
        [0, entry(-1)],
        [1, entry(-1)],
        [2, entry(1)],
        [3, entry(3)],
        [4, entry(9)],
        [5, MARKER],
        [6, entry(5)],
      ),
    ).toEqual([
      'anchor',
      'loser: another with its base or a later one came first',
      'loser: it is based on 1, which is not the plan any more, or never was',
      'loser: it is based on 3, which is not before it',
      'loser: it is based on 9, which is not before it',
      'marker',
      'loser: it is based on 5, which is not the plan any more, or never was',
    ]);
    expect(fold.current?.offset).toBe(0);
  });

  it('does not take an entry of another log, which was on its way when the stream was made anew', () => {
    expect(feed([0, entry(-1)], [1, entry(0, 'log-2')])).toEqual([
      'anchor',
      'loser: it is of another log, log-2',
    ]);
    expect(feed([2, entry(0)])).toEqual(['valid']);
  });

  it('knows what it has seen', () => {
    feed([0, entry(-1)], [1, entry(0)]);
    expect(feed([0, entry(-1)], [1, entry(0)])).toEqual(['duplicate', 'duplicate']);
    expect(fold.current?.offset).toBe(1);
  });
});

describe('a log read from the middle', () => {
  it('is sure of the entry it begins with only once another is based on it', () => {
    feed([5, entry(3)]);
    expect(fold.isProven).toBe(false);
    expect(feed([8, entry(5)])).toEqual(['valid']);
    expect(fold.isProven).toBe(true);
  });

  it('takes an entry with a later base for what its losers hid', () => {
    expect(feed([5, entry(2)], [6, entry(2)], [7, entry(4)], [8, entry(3)])).toEqual([
      'anchor',
      'loser: another with its base or a later one came first',
      'anchor',
      'loser: another with its base or a later one came first',
    ]);
    expect(fold.current?.offset).toBe(7);
  });

  it('is not sure of the plan by an entry of another log', () => {
    feed([5, entry(3)], [6, entry(5, 'log-2')]);
    expect(fold.isProven).toBe(false);
  });

  it('does not know whether there is a plan while it reads none', () => {
    feed([5, MARKER]);
    expect(fold.current).toBeUndefined();
    expect(fold.isProven).toBe(false);
  });
});
