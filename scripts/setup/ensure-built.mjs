import { join } from 'node:path';
import { localBin, ROOT, STATE_DIR } from '../project.mjs';
import { withLock } from '../system/file-lock.mjs';
import { runCommand } from '../system/run-command.mjs';
import { say, secondsSince } from '../terminal/say.mjs';
import { UserError } from '../terminal/user-error.mjs';

/** A build that had nothing to do takes less; it is not worth a line. */
const WORTH_A_LINE_MS = 1000;

/** Compiles what changed since the last build. */
export async function ensureBuilt() {
  const started = performance.now();
  const { code, output } = await withLock(join(STATE_DIR, 'build.lock'), () =>
    runCommand(localBin('tsc'), ['-b'], { cwd: ROOT }),
  );
  if (code !== 0)
    throw new UserError(`tsc -b ended with exit code ${code}. Mend what it says:\n${output.trim()}`);
  if (performance.now() - started > WORTH_A_LINE_MS) say.done(`Built (${secondsSince(started)})`);
}
