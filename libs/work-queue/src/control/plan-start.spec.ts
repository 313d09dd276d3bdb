import { describe, expect, it } from '@jest/globals';
import type { LogRecord } from './plan-entry.js';
import type { PlacedEntry } from './plan-fold.js';
import { readFrom, succession } from './plan-start.js';

function placed(offset: number, basedOn: number, change: { id?: string; logId?: string } = {}): PlacedEntry {
  const texts = { author: 'ada', reason: 'slow', change: 'orders: prefetch 20' };
  const { id = `id-${offset}`, logId = 'log-1' } = change;
  return { offset, entry: { ...texts, id, logId, basedOn, at: 0, overrides: {} } };
}

function recordsOf(...entries: readonly PlacedEntry[]): Map<number, LogRecord> {
  return new Map(entries.map(({ offset, entry }) => [offset, { kind: 'entry', entry }]));
}

describe('where a reader has to begin', () => {
  it('is the earliest entry that one at the end is based on', () => {
    expect(readFrom(recordsOf(placed(9, 7), placed(10, 4), placed(11, 9)))).toBe(4);
  });

  it('is the start of the log when the first change is at its end', () => {
    expect(readFrom(recordsOf(placed(0, -1)))).toBe('first');
  });

  it('is the start of the log when nothing at the end says more', () => {
    const records = new Map<number, LogRecord>([
      [3, { kind: 'marker', nonce: 'n' }],
      [4, { kind: 'malformed', reason: 'r' }],
    ]);
    expect(readFrom(records)).toBe('first');
    expect(readFrom(recordsOf(placed(3, 5)))).toBe('first');
    expect(readFrom(new Map())).toBe('first');
  });
});

describe('what was read of a stream', () => {
  it('is the plan when nothing was known', () => {
    expect(succession(undefined, undefined)).toEqual({ kind: 'follows' });
    expect(succession(undefined, placed(3, 1))).toEqual({ kind: 'follows' });
  });

  it('is the plan when it is what was known, or later', () => {
    expect(succession(placed(3, 1), placed(3, 1))).toEqual({ kind: 'follows' });
    expect(succession(placed(3, 1), placed(9, 7))).toEqual({ kind: 'follows' });
  });

  it('never beats what was known with nothing', () => {
    expect(succession(placed(3, 1), undefined)).toEqual({ kind: 'kept' });
  });

  it('is the plan when it is of another log, however early in it', () => {
    const read = placed(0, -1, { logId: 'log-2' });
    expect(succession(placed(3, 1), read)).toEqual({ kind: 'replaced', reason: 'new-log' });
  });

  it('is the plan when the stream lost its end, also when another change has taken the place', () => {
    expect(succession(placed(3, 1), placed(1, 0))).toEqual({ kind: 'replaced', reason: 'rewound' });
    expect(succession(placed(3, 1), placed(3, 1, { id: 'other' }))).toEqual({
      kind: 'replaced',
      reason: 'rewound',
    });
  });
});
