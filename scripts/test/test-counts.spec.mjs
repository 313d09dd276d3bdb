import { describe, expect, it } from '@jest/globals';
import { countsLine } from './test-counts.mjs';

const NOTHING = {
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numRuntimeErrorTestSuites: 0,
};

describe('the line with the counts', () => {
  it('says how many passed and failed', () => {
    expect(countsLine({ ...NOTHING, numPassedTests: 12 })).toBe('12 passed, 0 failed');
    expect(countsLine({ ...NOTHING, numPassedTests: 12, numFailedTests: 2 })).toBe('12 passed, 2 failed');
  });

  it('counts a file that could not be run as a failure', () => {
    expect(countsLine({ ...NOTHING, numRuntimeErrorTestSuites: 1 })).toBe('0 passed, 1 failed');
  });

  it('says how many were skipped if any were', () => {
    expect(countsLine({ ...NOTHING, numPassedTests: 1, numPendingTests: 2, numTodoTests: 1 })).toBe(
      '1 passed, 0 failed, 3 skipped',
    );
  });
});
