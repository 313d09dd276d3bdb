import { ConsoleLogger, type LogLevel } from '@nestjs/common';

/** NestJS's account of its own start: a page of lines that hides the two that matter. */
const START_UP_CONTEXTS = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
  'NestMicroservice',
]);

/** Logs a start failure with its stack before throwing it; `runApplication` tells it in words. */
const START_FAILURE_CONTEXT = 'ExceptionHandler';

/** NestJS's console logger without NestJS's own start-up lines; at level `debug` they are there. */
export class ApplicationLogger extends ConsoleLogger {
  constructor(private readonly levels: LogLevel[]) {
    super({ logLevels: levels });
  }

  override log(message: unknown, ...rest: unknown[]): void {
    if (this.levels.includes('debug') || !START_UP_CONTEXTS.has(String(rest.at(-1))))
      super.log(message, ...rest);
  }

  override error(message: unknown, ...rest: unknown[]): void {
    if (rest.at(-1) !== START_FAILURE_CONTEXT) super.error(message, ...rest);
  }
}
