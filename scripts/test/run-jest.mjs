import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inProject, ROOT, STATE_DIR } from '../project.mjs';
import { countsLine } from './test-counts.mjs';

const RESULTS = join(STATE_DIR, 'test-results.json');
const EXIT_CODE_INTERRUPTED = 130;

/** Tests of what needs a broker or spans folders are in test/; all others stand beside their source. */
const UNIT_ONLY = ['/node_modules/', '/dist/', '<rootDir>/test/'].map(
  (pattern) => `--testPathIgnorePatterns=${pattern}`,
);

/**
 * Runs jest in this terminal.
 * @param {{ isUnit: boolean, args: readonly string[], env: NodeJS.ProcessEnv }} run
 * @returns {Promise<{ code: number, counts: string | undefined }>} counts: undefined if jest did not get that far
 */
export async function runJest({ isUnit, args, env }) {
  mkdirSync(STATE_DIR, { recursive: true });
  rmSync(RESULTS, { force: true });
  const child = spawn(
    process.execPath,
    [
      // Jest runs ES modules in contexts of Node's vm module, which Node still calls experimental.
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      inProject('node_modules', 'jest', 'bin', 'jest.js'),
      // n.b. first: the path of a test behind one of our options with several values would be taken for another value.
      ...args,
      '--json',
      `--outputFile=${RESULTS}`,
      ...(isUnit ? UNIT_ONLY : []),
    ],
    { cwd: ROOT, env, stdio: 'inherit' },
  );
  const stopPassingOn = passSignalsOn(child);
  const [code] = await once(child, 'close');
  stopPassingOn();
  return { code: code ?? EXIT_CODE_INTERRUPTED, counts: readCounts() };
}

/**
 * Ctrl-C reaches jest by itself; we only must not end before it, as the broker is still to be stopped.
 * @param {import('node:child_process').ChildProcess} child
 */
function passSignalsOn(child) {
  const ignore = () => undefined;
  const end = () => void child.kill('SIGTERM');
  process.on('SIGINT', ignore);
  process.on('SIGTERM', end);
  return () => {
    process.off('SIGINT', ignore);
    process.off('SIGTERM', end);
  };
}

function readCounts() {
  try {
    return countsLine(JSON.parse(readFileSync(RESULTS, 'utf8')));
  } catch {
    return undefined;
  }
}
