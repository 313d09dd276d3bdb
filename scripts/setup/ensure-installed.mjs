import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inProject, ROOT, STATE_DIR } from '../project.mjs';
import { withLock } from '../system/file-lock.mjs';
import { runCommand } from '../system/run-command.mjs';
import { say, secondsSince } from '../terminal/say.mjs';
import { UserError } from '../terminal/user-error.mjs';
import { differences } from './installed-packages.mjs';

/** Runs `npm ci` unless exactly the packages of package-lock.json are installed. */
export async function ensureInstalled() {
  if (isInstalled()) return;
  // Three terminals may start three apps at once.
  await withLock(join(STATE_DIR, 'install.lock'), async () => {
    if (!isInstalled()) await install();
  });
}

function isInstalled() {
  const installed = readPackages('node_modules/.package-lock.json');
  return (
    installed !== undefined && differences(readPackages('package-lock.json') ?? {}, installed).length === 0
  );
}

/**
 * @param {string} path
 * @returns {import('./installed-packages.mjs').LockEntries | undefined}
 */
function readPackages(path) {
  try {
    return JSON.parse(readFileSync(inProject(path), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

async function install() {
  const started = performance.now();
  say.step('Installing packages with npm ci …');
  // n.b. inside `npm start` the npm that runs us is named; with NODE_ENV=production it would leave out the compiler.
  const npm = process.env.npm_execpath;
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  const [command, commandArgs] = npm?.endsWith('.js') ? [process.execPath, [npm, ...args]] : ['npm', args];
  const { code, output } = await runCommand(command, commandArgs, { cwd: ROOT });
  if (code !== 0) {
    throw new UserError(
      `npm ci ended with exit code ${code}; nothing runs without the packages. It said:\n${output.trim()}`,
    );
  }
  say.done(`Packages are installed (${secondsSince(started)})`);
}
