import { describe, expect, test } from '@jest/globals';
import pc from 'picocolors';

import { LatencyHistogram } from '../latency-histogram.js';
import { readCommandLine } from '../options/command.js';
import { resolveSettings } from '../options/resolve-settings.js';
import type { RowCheck } from '../rows/check-rows.js';
import type { Standing } from '../send/delivery.js';
import { Ledger } from '../send/ledger.js';
import { jsonReport } from './json.report.js';
import { exitCodeOf, type ReplayResult } from './replay-result.js';
import { tableReport } from './table.report.js';
import { verdictLines } from './verdict.report.js';

const accepted: Standing = { kind: 'accepted' };
const full: Standing = { kind: 'rejected', reason: 'queue-full' };
const timedOut: Standing = { kind: 'unknown', reason: 'timeout' };

function checked(missingIds: string[], unacceptedRows = { rejected: 0, unknown: 0 }): RowCheck {
  const sojourn = new LatencyHistogram();
  sojourn.recordMs(40);
  return { kind: 'checked', rows: 2, missingIds, sojourn, lastRecordedAtEpochMs: 11_000, unacceptedRows };
}

function resultWith(standings: Standing[], rowCheck: RowCheck, commandLine: string[] = []): ReplayResult {
  const ledger = new Ledger();
  for (const [index, standing] of standings.entries()) {
    const payload = { event: 'ping', bytes: Buffer.alloc(0), headers: {} };
    const delivery = { id: `id-${index}`, payload, plannedAtMs: index, attempts: 1, standing };
    ledger.recordAttempt(delivery);
    ledger.recordEnd(delivery);
  }
  const resolved = resolveSettings(readCommandLine(commandLine), {});
  if (!resolved.ok) throw new Error(resolved.problems.join());
  return {
    settings: resolved.settings,
    machine: { cpu: 'Test CPU', cpus: 2, node: 'v20' },
    ledger,
    durationMs: 1_000,
    startedAtEpochMs: 10_000,
    generatorCpuPercent: 9,
    wasInterrupted: false,
    rowCheck,
  };
}

const verdictOf = (result: ReplayResult) => verdictLines(result, pc.createColors(false));

describe('verdict', () => {
  test('says so when every accepted id is a row', () => {
    expect(verdictOf(resultWith([accepted, accepted, full], checked([])))).toEqual([
      'accepted ids = rows written, missing 0 (2 accepted, 2 written)',
    ]);
  });

  test('names the missing ids, ten at most', () => {
    const missing = Array.from({ length: 12 }, (_, index) => `lost-${index}`);
    const lines = verdictOf(resultWith([accepted], checked(missing)));
    expect(lines[0]).toContain('missing 12');
    expect(lines.slice(1)).toEqual([...missing.slice(0, 10).map((id) => `  ${id}`), '  and 2 more']);
  });

  test('says when rejected ids were written all the same', () => {
    const lines = verdictOf(resultWith([accepted, full], checked([], { rejected: 1, unknown: 0 })));
    expect(lines[1]).toBe('1 of 1 rejected ids were written all the same');
  });

  test('says why the rows were not checked and what to do', () => {
    const lines = verdictOf(resultWith([accepted], { kind: 'not-checked', reason: 'refused' }));
    expect(lines).toEqual([expect.stringContaining('refused'), expect.stringContaining('DATABASE_URL')]);
  });

  test('hints at the secret after 401 answers', () => {
    const unauthorized: Standing = { kind: 'rejected', reason: 'http-401' };
    const unsigned = verdictOf(resultWith([unauthorized], checked([])));
    expect(unsigned[1]).toMatch(/401 answers: the requests were not signed; .*--secret/);
    const signed = verdictOf(resultWith([unauthorized], checked([]), ['--secret', 'hush']));
    expect(signed[1]).toContain('the secret differs');
  });
});

describe('table', () => {
  test('breaks refusals down by reason, the most frequent first, and names machine and settings', () => {
    const busy: Standing = { kind: 'rejected', reason: 'gateway-busy' };
    const text = tableReport(resultWith([accepted, busy, full, full, timedOut], checked([])));
    const cells = text.split('\n').map((line) => line.replaceAll(/[│\s]+/g, ' ').trim());
    expect(cells.slice(1, 8)).toEqual([
      'sent 5',
      'accepted 1',
      'rejected 3',
      'queue-full 2',
      'gateway-busy 1',
      'unknown 1',
      'timeout 1',
    ]);
    expect(cells).toContain('rows written 2');
    expect(text).toContain('machine: Test CPU, 2 cores, node v20');
    expect(text).toContain('settings: url http://127.0.0.1:3000, ratePerSec 200, durationMs 10000');
  });

  test('prints rows as not checked, and never the secret', () => {
    const rowCheck: RowCheck = { kind: 'not-checked', reason: 'refused' };
    const text = tableReport(resultWith([accepted], rowCheck, ['--secret', 'hush']));
    expect(text).toMatch(/rows written\s+│\s+not checked/);
    expect(text).not.toContain('hush');
  });
});

describe('JSON', () => {
  test('carries the counts, the rows and the sojourn', () => {
    expect(jsonReport(resultWith([accepted, accepted, full, timedOut], checked([])))).toMatchObject({
      sent: 4,
      accepted: 2,
      rejected: 1,
      unknown: 1,
      rows: 2,
      missing: 0,
      durationMs: 1_000,
      sojournMs: { p50: expect.closeTo(40, 0), p99: expect.closeTo(40, 0) },
      reasons: { rejected: { 'queue-full': 1 }, unknown: { timeout: 1 } },
      throughputPerSec: { accepted: 2, rows: 2 },
    });
  });

  test('has null, not 0, for what was not checked', () => {
    expect(jsonReport(resultWith([accepted], { kind: 'not-wanted' }))).toMatchObject({
      rows: null,
      missing: null,
    });
  });
});

test.each([
  [checked([]), 0],
  [checked(['lost']), 1],
  [{ kind: 'not-checked', reason: 'refused' } as const, 1],
  [{ kind: 'not-wanted' } as const, 0],
])('exit code %#', (rowCheck, exitCode) => {
  expect(exitCodeOf(rowCheck)).toBe(exitCode);
});
