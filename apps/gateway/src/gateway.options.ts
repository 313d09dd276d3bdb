import type { LogLevel } from '@nestjs/common';
import { readLogLevel } from '@spillway/work-queue';

/** Everything the gateway takes from its environment. Times in milliseconds. */
export interface GatewayOptions {
  readonly host: string;
  readonly port: number;
  /** Undefined: signatures are not checked. */
  readonly githubWebhookSecret: string | undefined;
  /** Of a webhook. */
  readonly maxBodyBytes: number;
  /** Of a photograph. */
  readonly maxImageBytes: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxConnections: number;
  /** How long a client may wait for its result (`Prefer: wait`). 0: nobody waits. */
  readonly maxWaitMs: number;
  readonly logLevels: LogLevel[];
}

/** Wrong environment variables, all of them in one message. */
export class GatewayOptionsError extends Error {
  override readonly name = 'GatewayOptionsError';
}

interface IntegerOption {
  readonly variable: string;
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
}

/** RabbitMQ 4.x closes the channel on a message over 16 MiB; headers and envelope need room below that. */
const LARGEST_BODY_BYTES = 15 * 1024 * 1024;

const INTEGERS = {
  /** 0 takes any free port. */
  port: { variable: 'PORT', fallback: 3000, min: 0, max: 65_535 },
  /** Real payloads are 1 to 30 KB. Too high: a few senders fill the memory. Too low: large pushes get 413. */
  maxBodyBytes: { variable: 'MAX_BODY_BYTES', fallback: 1024 * 1024, min: 1, max: LARGEST_BODY_BYTES },
  /** Photographs of telephones are 2 to 8 MB. Too high: the queue holds that much more. Too low: they get 413. */
  maxImageBytes: {
    variable: 'MAX_IMAGE_BYTES',
    fallback: 10 * 1024 * 1024,
    min: 1,
    max: LARGEST_BODY_BYTES,
  },
  /** Too high: idle half-open clients hold connections. Too low: far clients are cut off. */
  headersTimeoutMs: { variable: 'HEADERS_TIMEOUT_MS', fallback: 5_000, min: 100, max: 600_000 },
  /** From the first byte to the last of a request; GitHub itself gives up after 10 s. */
  requestTimeoutMs: { variable: 'REQUEST_TIMEOUT_MS', fallback: 10_000, min: 100, max: 600_000 },
  /** Connections beyond it are closed at once. */
  maxConnections: { variable: 'MAX_CONNECTIONS', fallback: 1_000, min: 1, max: 1_000_000 },
  /** Too high: waiting clients hold connections. Too low: they get 202 for work that is nearly done. */
  maxWaitSeconds: { variable: 'MAX_WAIT_SECONDS', fallback: 30, min: 0, max: 3_600 },
} as const satisfies Record<string, IntegerOption>;

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws GatewayOptionsError */
export function readGatewayOptions(environment: Environment): GatewayOptions {
  const problems: string[] = [];
  const integer = (option: IntegerOption): number => {
    const text = environment[option.variable];
    if (text === undefined || text === '') return option.fallback;
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= option.min && value <= option.max) return value;
    problems.push(
      `${option.variable}: expected an integer from ${option.min} to ${option.max}, got: ${JSON.stringify(text)}`,
    );
    return option.fallback;
  };
  const options: GatewayOptions = {
    host: environment.HOST || '127.0.0.1',
    port: integer(INTEGERS.port),
    githubWebhookSecret: environment.GITHUB_WEBHOOK_SECRET || undefined,
    maxBodyBytes: integer(INTEGERS.maxBodyBytes),
    maxImageBytes: integer(INTEGERS.maxImageBytes),
    headersTimeoutMs: integer(INTEGERS.headersTimeoutMs),
    requestTimeoutMs: integer(INTEGERS.requestTimeoutMs),
    maxConnections: integer(INTEGERS.maxConnections),
    maxWaitMs: integer(INTEGERS.maxWaitSeconds) * 1_000,
    logLevels: logLevelsOf(environment.LOG_LEVEL, problems),
  };
  if (problems.length > 0) throw new GatewayOptionsError(problems.join('\n'));
  return Object.freeze(options);
}

function logLevelsOf(text: string | undefined, problems: string[]): LogLevel[] {
  const result = readLogLevel(text);
  if ('levels' in result) return result.levels;
  problems.push(result.problem);
  return [];
}
