import type { LogLevel } from '@nestjs/common';

/** From the quietest to the chattiest; each level shows those before it too. */
const LEVELS: readonly LogLevel[] = ['fatal', 'error', 'warn', 'log', 'debug', 'verbose'];
const DEFAULT_LEVEL = 'log';

export type LogLevelResult = { readonly levels: LogLevel[] } | { readonly problem: string };

/** Reads the variable LOG_LEVEL: a level of NestJS's, or `info` for `log`. Absent or empty means `log`. */
export function readLogLevel(text: string | undefined): LogLevelResult {
  const wanted = !text || text === 'info' ? DEFAULT_LEVEL : text;
  const index = LEVELS.findIndex((level) => level === wanted);
  if (index >= 0) return { levels: LEVELS.slice(0, index + 1) };
  return { problem: `LOG_LEVEL: expected one of ${LEVELS.join(', ')}, info, got: ${JSON.stringify(text)}` };
}
