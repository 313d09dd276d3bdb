import { CommanderError } from 'commander';
import pc from 'picocolors';

import { Interrupts } from './interrupts.js';
import { readCommandLine } from './options/command.js';
import { type ResolvedSettings, resolveSettings } from './options/resolve-settings.js';
import type { Settings } from './options/settings.js';
import { replay } from './replay.js';
import { jsonReport } from './report/json.report.js';
import type { ReplayResult } from './report/replay-result.js';
import { tableReport } from './report/table.report.js';
import { verdictLines } from './report/verdict.report.js';

const EXIT_CODE_WRONG_OPTIONS = 2;

process.exitCode = await main();

/** 0: nothing is missing. 1: something is, or it could not be checked. 2: wrong options. */
async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === 'number') return options;
  if (options.ok) return run(options.settings);
  for (const problem of options.problems) process.stderr.write(`replay: ${problem}\n`);
  return EXIT_CODE_WRONG_OPTIONS;
}

/** Commander has already printed its help or its one line about an unknown option when it throws. */
function readOptions(): ResolvedSettings | number {
  try {
    return resolveSettings(readCommandLine(process.argv.slice(2)), process.env);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODE_WRONG_OPTIONS;
    throw error;
  }
}

async function run(settings: Settings): Promise<number> {
  const interrupts = new Interrupts((code) => process.exit(code));
  const stopListening = interrupts.listen(process);
  try {
    return await replay({ settings, env: process.env, interrupts, notices: process.stderr, printReport });
  } finally {
    stopListening();
  }
}

function printReport(result: ReplayResult): void {
  const { isJson } = result.settings;
  const stream = isJson ? process.stderr : process.stdout;
  const colors = pc.createColors(pc.isColorSupported && stream.isTTY);
  stream.write(`${tableReport(result)}\n\n${verdictLines(result, colors).join('\n')}\n`);
  if (isJson) process.stdout.write(`${JSON.stringify(jsonReport(result))}\n`);
}
