import { Command, CommanderError } from 'commander';

/** What was given as arguments, not yet checked. */
export interface Flags {
  serviceTime?: string;
  serviceTimeMode?: string;
}

export type CommandLine = { flags: Flags } | { problem: string };

const HELP_OF_ENVIRONMENT = `
Environment:
  DATABASE_URL          postgres://user:password@host:5432/database; without it, an embedded database
  SPILLWAY_DATA_DIR     folder of the embedded database (default: .spillway)
  SERVICE_TIME          the same as --service-time
  SERVICE_TIME_MODE     the same as --service-time-mode
  LOG_LEVEL             fatal, error, warn, log, debug or verbose (default: log)`;

/**
 * Reads the arguments after the program's name. `--help` prints the help and ends the process with 0.
 */
export function readCommandLine(args: readonly string[]): CommandLine {
  const command = createCommand();
  try {
    return { flags: command.parse([...args], { from: 'user' }).opts<Flags>() };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) process.exit(0);
    return { problem: `${error.message.replace(/^error: /, '')} (--help lists what there is)` };
  }
}

function createCommand(): Command {
  return new Command('events-worker')
    .description('Writes the webhook events of the queue to a database, once each.')
    .option(
      '--service-time <spec>',
      'slow every job down, for experiments: 20ms, uniform(5ms,40ms) or exponential(20ms)',
    )
    .option(
      '--service-time-mode <mode>',
      'what slow jobs do: waiting (default) or cpu, which keeps a processor busy',
    )
    .addHelpText('after', HELP_OF_ENVIRONMENT)
    .configureOutput({ writeErr: () => undefined })
    .exitOverride();
}
