/**
 * @typedef {object} JestResults what jest writes with --json, as far as it is read here
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests skipped ones
 * @property {number} numTodoTests
 * @property {number} numRuntimeErrorTestSuites files that could not be run, whose tests nobody could count
 */

/**
 * The line that CI reads: `N passed, N failed` and, if there are any, `, N skipped`.
 * @param {JestResults} results
 */
export function countsLine(results) {
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  const skipped = results.numPendingTests + results.numTodoTests;
  return `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
