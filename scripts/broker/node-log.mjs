import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathsOf } from './node-configuration.mjs';

const LINES = 15;

/**
 * What a node said last: its own log, and what it wrote to its terminal.
 * @param {string} dir
 * @param {string} name
 */
export function lastLogLines(dir, name) {
  const { logs, output } = pathsOf(dir);
  return [join(logs, `${name}.log`), output]
    .map((file) => tail(file))
    .filter(Boolean)
    .join('\n');
}

/** @param {string} file */
function tail(file) {
  try {
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '');
    return lines.length === 0
      ? ''
      : [`  ${file}`, ...lines.slice(-LINES).map((line) => `  | ${line}`)].join('\n');
  } catch {
    return '';
  }
}
