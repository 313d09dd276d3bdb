import type { LogLevel } from '@nestjs/common';
import { readLogLevel } from '@spillway/work-queue';
import { type Flags, readCommandLine } from './command-line.js';
import type { ServiceTimeMode, ServiceTimeOptions } from './events/service-time.js';
import { parseServiceTime, type ServiceTimeDistribution } from './events/service-time-distribution.js';

/** Everything the events worker takes from its command line and its environment. */
export interface WorkerOptions {
  /** Undefined: events go to the embedded database in `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  readonly serviceTime: ServiceTimeOptions;
  readonly logLevels: LogLevel[];
}

/** Wrong arguments or environment variables, all of them in one message. */
export class WorkerOptionsError extends Error {
  override readonly name = 'WorkerOptionsError';

  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

export interface OptionSources {
  /** The arguments after the program's name. */
  args: readonly string[];
  environment: Environment;
}

const MODES: ServiceTimeMode[] = ['waiting', 'cpu'];

/**
 * An argument wins over its variable, and an empty variable counts as not set.
 *
 * @throws WorkerOptionsError
 */
export function readWorkerOptions({ args, environment }: OptionSources): WorkerOptions {
  const commandLine = readCommandLine(args);
  const flags = 'flags' in commandLine ? commandLine.flags : {};
  const reader = new OptionReader(flags, environment);
  if ('problem' in commandLine) reader.problems.push(commandLine.problem);
  const options: WorkerOptions = {
    databaseUrl: reader.databaseUrl(),
    dataDir: environment.SPILLWAY_DATA_DIR || '.spillway',
    serviceTime: Object.freeze({ distribution: reader.serviceTime(), mode: reader.serviceTimeMode() }),
    logLevels: reader.logLevels(),
  };
  if (reader.problems.length > 0) throw new WorkerOptionsError(reader.problems);
  return Object.freeze(options);
}

/** A value as it was given, and where: a message must name the place to correct. */
interface Given {
  source: string;
  text: string;
}

/** Reads one option a method. A wrong one leaves a problem, and a value that is never used. */
class OptionReader {
  readonly problems: string[] = [];

  constructor(
    private readonly flags: Flags,
    private readonly environment: Environment,
  ) {}

  databaseUrl(): string | undefined {
    const url = this.environment.DATABASE_URL || undefined;
    if (url === undefined || /^postgres(ql)?:\/\//.test(url)) return url;
    // Only its beginning, since somewhere in it may be a password.
    const scheme = /^[\w+.-]{1,20}:/.exec(url)?.[0];
    const got = scheme === undefined ? 'something else' : `${scheme}…`;
    this.problems.push(`DATABASE_URL: expected postgres://user:password@host:5432/database, got: ${got}`);
    return undefined;
  }

  serviceTime(): ServiceTimeDistribution | undefined {
    const given = this.given('--service-time', this.flags.serviceTime) ?? this.variable('SERVICE_TIME');
    if (!given) return undefined;
    const result = parseServiceTime(given.text);
    if ('distribution' in result) return Object.freeze(result.distribution);
    this.problems.push(`${given.source}: ${result.problem}`);
    return undefined;
  }

  serviceTimeMode(): ServiceTimeMode {
    const given =
      this.given('--service-time-mode', this.flags.serviceTimeMode) ?? this.variable('SERVICE_TIME_MODE');
    if (!given) return 'waiting';
    const mode = MODES.find((candidate) => candidate === given.text);
    if (!mode)
      this.problems.push(`${given.source}: expected waiting or cpu, got: ${JSON.stringify(given.text)}`);
    return mode ?? 'waiting';
  }

  logLevels(): LogLevel[] {
    const result = readLogLevel(this.environment.LOG_LEVEL);
    if ('levels' in result) return result.levels;
    this.problems.push(result.problem);
    return [];
  }

  private given(source: string, text: string | undefined): Given | undefined {
    return text === undefined ? undefined : { source, text };
  }

  private variable(name: string): Given | undefined {
    return this.given(name, this.environment[name] || undefined);
  }
}
