import * as util from 'node:util';

/** Progress and notices go to stderr, so that stdout holds results only (one JSON object with --json). */
const toStderr = (/** @type {string} */ text) => void process.stderr.write(`${text}\n`);

/** @typedef {'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan'} Format */

/**
 * Colours where the stream is a terminal and NO_COLOR is unset.
 * @param {Format} format
 * @param {string} text
 * @param {NodeJS.WriteStream} [stream]
 */
export function paint(format, text, stream = process.stdout) {
  // Missing before Node 20.12, where this still has to print that a newer Node is needed.
  return /** @type {Partial<typeof util>} */ (util).styleText?.(format, text, { stream }) ?? text;
}

export const say = {
  /** @param {string} text what is going on */
  step: (text) => toStderr(paint('dim', text, process.stderr)),
  /** @param {string} text */
  done: (text) => toStderr(`${paint('green', '✓', process.stderr)} ${text}`),
  /** @param {string} text */
  warn: (text) => toStderr(`${paint('yellow', '!', process.stderr)} ${text}`),
  /** @param {string} text */
  error: (text) => toStderr(`${paint('red', '✗', process.stderr)} ${text}`),
};

/** @param {number} startedMs what `performance.now()` said at the beginning */
export const secondsSince = (startedMs) => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
