import { expect, test } from '@jest/globals';

import { Reconciliation } from './reconciliation.js';

const row = (deliveryId: string, recordedAtEpochMs: number) => ({ deliveryId, recordedAtEpochMs });

test('an accepted id without a row is missing, by name', () => {
  const reconciliation = new Reconciliation(
    new Map([
      ['a', 1_000],
      ['b', 1_000],
    ]),
  );
  reconciliation.record(row('a', 1_020));
  expect(reconciliation).toMatchObject({ rows: 1, missingCount: 1, missingIds: ['b'] });
});

test('a row counts once, and a row nobody expected not at all', () => {
  const reconciliation = new Reconciliation(
    new Map([
      ['a', 1_000],
      ['b', 1_000],
    ]),
  );
  reconciliation.record(row('a', 1_020));
  reconciliation.record(row('a', 9_000));
  reconciliation.record(row('other', 9_000));
  expect(reconciliation).toMatchObject({ rows: 1, missingIds: ['b'], lastRecordedAtEpochMs: 1_020 });
});

test('sojourn runs from the planned send to the row, and is never below 0', () => {
  const reconciliation = new Reconciliation(
    new Map([
      ['a', 1_000.5],
      ['b', 2_000],
    ]),
  );
  reconciliation.record(row('a', 1_000));
  reconciliation.record(row('b', 2_250));
  expect(reconciliation.sojourn.percentileMs(50)).toBe(0);
  expect(reconciliation.sojourn.percentileMs(99)).toBeCloseTo(250, 0);
});

test('without rows there is no percentile', () => {
  expect(new Reconciliation(new Map()).sojourn.percentileMs(99)).toBeNull();
});
