import { ensureInstalled } from './setup/ensure-installed.mjs';
import { assertNodeVersion } from './setup/node-version.mjs';
import { STEPS } from './check/steps.mjs';
import { localBin, ROOT } from './project.mjs';
import { runCommand } from './system/run-command.mjs';
import { paint, secondsSince } from './terminal/say.mjs';
import { runMain } from './terminal/user-error.mjs';

/** @typedef {import('./check/steps.mjs').Step} Step */

const NAME_WIDTH = Math.max(...STEPS.map(({ name }) => name.length));

await runMain(async () => {
  assertNodeVersion();
  await ensureInstalled();
  const results = [];
  // One after the other: several of them use every processor by themselves.
  for (const step of STEPS) results.push(await check(step));
  const failed = results.filter((isOk) => !isOk).length;
  console.log(
    failed === 0
      ? paint('green', 'All checks passed')
      : paint('red', `${failed} of ${STEPS.length} checks FAILED`),
  );
  return failed === 0 ? 0 : 1;
});

/**
 * Runs a step and shows what its commands said only if one failed.
 * @param {Step} step
 */
async function check({ name, commands, advice }) {
  const started = performance.now();
  const outputs = [];
  for (const [program, ...args] of commands) {
    const command = program === 'node' ? process.execPath : localBin(program);
    const { code, output } = await runCommand(command, args, { cwd: ROOT });
    if (code !== 0) outputs.push(`${[program, ...args].join(' ')} (exit code ${code})\n${output.trim()}`);
  }
  const isOk = outputs.length === 0;
  const verdict = isOk ? paint('green', 'ok    ') : paint('red', 'FAILED');
  console.log(`${verdict} ${name.padEnd(NAME_WIDTH)} ${secondsSince(started)}`);
  if (!isOk) console.log(`${outputs.join('\n')}${advice ? `\n${paint('yellow', `→ ${advice}`)}` : ''}\n`);
  return isOk;
}
