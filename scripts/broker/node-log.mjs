import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { pathsOf } from './node-configuration.mjs';

const LINES = 15;

/**
 * What a node said last: its own log, and what it wrote to its terminal.
 * @param {string} dir
 * @param {string} name
 */
export function lastLogLines(dir, name) {
  return [logOf(dir, name), pathsOf(dir).output].map(tail).filter(Boolean).join('\n');
}

/**
 * Keeps the log of the run before under another name, so that it is not taken for that of the next one.
 * @param {string} dir
 * @param {string} name
 */
export function setLogAside(dir, name) {
  const log = logOf(dir, name);
  if (existsSync(log)) renameSync(log, `${log}.previous`);
}

/**
 * @param {string} dir
 * @param {string} name
 */
const logOf = (dir, name) => join(pathsOf(dir).logs, `${name}.log`);

/** @param {string} file */
function tail(file) {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const last = lines.filter((line) => line.trim() !== '').slice(-LINES);
  return last.length === 0 ? '' : [`  ${file}`, ...last.map((line) => `  | ${line}`)].join('\n');
}
