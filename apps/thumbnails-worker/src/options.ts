import { join } from 'node:path';
import type { LogLevel } from '@nestjs/common';
import { readLogLevel } from '@spillway/work-queue';

/** Everything the thumbnails worker takes from its environment. */
export interface WorkerOptions {
  /** Where the sizes of each photograph are kept. */
  readonly thumbnailsFolder: string;
  readonly logLevels: LogLevel[];
}

/** Wrong environment variables, all of them in one message. */
export class WorkerOptionsError extends Error {
  override readonly name = 'WorkerOptionsError';
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * An empty variable counts as not set. THUMBNAILS_FOLDER is the folder; without it `thumbnails` in SPILLWAY_DATA_DIR,
 * which is `.spillway` by default.
 *
 * @throws WorkerOptionsError
 */
export function readWorkerOptions(environment: Environment, args: readonly string[] = []): WorkerOptions {
  if (args.length > 0) {
    throw new WorkerOptionsError(
      `expected no arguments, got: ${args.join(' ')}. It is set by variables: THUMBNAILS_FOLDER, SPILLWAY_DATA_DIR, LOG_LEVEL, SPILLWAY_CONFIG, RABBITMQ_URL`,
    );
  }
  const logLevel = readLogLevel(environment.LOG_LEVEL);
  if ('problem' in logLevel) throw new WorkerOptionsError(logLevel.problem);
  const dataDir = environment.SPILLWAY_DATA_DIR || '.spillway';
  return Object.freeze({
    thumbnailsFolder: environment.THUMBNAILS_FOLDER || join(dataDir, 'thumbnails'),
    logLevels: logLevel.levels,
  });
}
