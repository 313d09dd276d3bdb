import { expect, test } from '@jest/globals';

import type { RowPass, RowWait } from './await-rows.js';
import { checkRows } from './check-rows.js';
import { Reconciliation } from './reconciliation.js';
import type { WrittenRow } from './row-store.port.js';

const NOBODY = { rejectedIds: [], unknownIds: [] };

/** A database whose rows appear by a manual clock that only `pause` moves; `asked` keeps the size of each query. */
class FakeDatabase {
  nowMs = 0;
  isDown = false;
  readonly asked: number[] = [];
  readonly passes: RowPass[] = [];
  private readonly stopping = new AbortController();

  constructor(private readonly writtenAtMs: Record<string, number>) {}

  check(ids: string[], settleTimeoutMs: number, unaccepted: typeof NOBODY | object = NOBODY) {
    const wait: RowWait = {
      reconciliation: new Reconciliation(new Map(ids.map((id) => [id, 0]))),
      store: { findRows: (asked) => this.findRows(asked), close: () => Promise.resolve() },
      clock: { nowMs: () => this.nowMs, epochMsOf: (nowMs) => nowMs },
      pause: (durationMs) => Promise.resolve(void (this.nowMs += durationMs)),
      settleTimeoutMs,
      signal: this.stopping.signal,
      onPass: (pass) => this.passes.push(pass),
    };
    return checkRows(wait, { ...NOBODY, ...unaccepted });
  }

  stop(): void {
    this.stopping.abort();
  }

  private findRows(ids: readonly string[]): Promise<WrittenRow[]> {
    if (this.isDown) return Promise.reject(new Error('connection lost'));
    this.asked.push(ids.length);
    const rows = ids.map((deliveryId) => ({
      deliveryId,
      recordedAtEpochMs: this.writtenAtMs[deliveryId] ?? Infinity,
    }));
    return Promise.resolve(rows.filter(({ recordedAtEpochMs }) => recordedAtEpochMs <= this.nowMs));
  }
}

test('waits until the last accepted id is a row, asking only for what is missing', async () => {
  const database = new FakeDatabase({ a: 0, b: 150, c: 500 });
  await expect(database.check(['a', 'b', 'c'], 1_000)).resolves.toMatchObject({
    kind: 'checked',
    rows: 3,
    missingIds: [],
  });
  expect(database.asked).toEqual([3, 2, 1, 1]);
  expect(database.nowMs).toBe(600);
});

test('gives up when no row is new for the settle timeout, counted from the last new one', async () => {
  const database = new FakeDatabase({ a: 900 });
  await expect(database.check(['a', 'lost'], 1_000)).resolves.toMatchObject({
    rows: 1,
    missingIds: ['lost'],
  });
  expect(database.nowMs).toBe(2_000);
});

test('many ids are asked for in batches', async () => {
  const ids = Array.from({ length: 2_500 }, (_, index) => `id-${index}`);
  const database = new FakeDatabase(Object.fromEntries(ids.map((id) => [id, 0])));
  await expect(database.check(ids, 1_000)).resolves.toMatchObject({ rows: 2_500 });
  expect(database.asked).toEqual([1_000, 1_000, 500]);
});

test('a database that stays away proves nothing, so the rows are not checked', async () => {
  const database = new FakeDatabase({ a: 0 });
  database.isDown = true;
  await expect(database.check(['a'], 1_000)).resolves.toEqual({
    kind: 'not-checked',
    reason: 'connection lost',
  });
  expect(database.passes).toHaveLength(6);
});

test('an interrupt ends the waiting with what is known', async () => {
  const database = new FakeDatabase({});
  database.stop();
  await expect(database.check(['a'], 30_000)).resolves.toMatchObject({ kind: 'checked', missingIds: ['a'] });
  expect(database.nowMs).toBe(0);
});

test('rows of ids that were rejected or unknown are counted apart', async () => {
  const database = new FakeDatabase({ a: 0, refused: 0, perhaps: 0 });
  const unaccepted = { rejectedIds: ['refused', 'other'], unknownIds: ['perhaps', 'never'] };
  await expect(database.check(['a'], 1_000, unaccepted)).resolves.toMatchObject({
    rows: 1,
    unacceptedRows: { rejected: 1, unknown: 1 },
  });
});

test('nothing accepted needs no database', async () => {
  const database = new FakeDatabase({});
  database.isDown = true;
  await expect(database.check([], 1_000)).resolves.toMatchObject({
    kind: 'checked',
    rows: 0,
    missingIds: [],
  });
});
