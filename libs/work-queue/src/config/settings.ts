import type { LimitMode, QueueQos } from '@spillway/qos';
import { type BrokerUrl, parseBrokerUrl } from '../broker/broker-url.js';
import { ConfigurationError } from '../errors/configuration.error.js';
import type { AnyCodec } from '../message/codec.js';
import { readQosFile, resolveQos } from './qos-file.js';

/** What a process tells the framework. Every field may be left out; the environment and defaults fill in. */
export interface WorkQueueOptions {
  /** Queues this process publishes to. Each gets a `WorkQueue` for `@InjectWorkQueue(name)`. @default none */
  readonly queues?: readonly string[];
  /** AMQP URL; its vhost holds everything. @default env RABBITMQ_URL, else amqp://guest:guest@127.0.0.1:5672 */
  readonly url?: string;
  /** URL of RabbitMQ's management API, through which limits are set as policies. @default env RABBITMQ_MANAGEMENT_URL */
  readonly managementUrl?: string;
  /** Path of the QoS file, or its content as an object. @default env SPILLWAY_CONFIG, else spillway.yaml */
  readonly config?: string | Readonly<Record<string, unknown>>;
  /** How payloads of a queue travel, by queue. @default JSON; bytes stay bytes */
  readonly codecs?: Readonly<Record<string, AnyCodec>>;
  /** Name of this process in the broker's tools. @default `spillway` */
  readonly name?: string;
  /** How long to wait for the broker at start, milliseconds. Too low: a process that starts beside its broker gives up. @default 15000 */
  readonly startTimeoutMs?: number;
  /** How long running handlers may take to finish at shutdown before their signal aborts, milliseconds. Keep it below what your platform waits before it kills. @default 20000 */
  readonly drainTimeoutMs?: number;
  /** How long a publish may wait for a place in the confirm window, milliseconds. Too high: callers hang when the broker is slow. @default 50 */
  readonly slotWaitMs?: number;
  /** Silence of the broker after which a publish is called unknown, milliseconds. Too low: slow disks make duplicates. @default 5000 */
  readonly confirmTimeoutMs?: number;
  /** Largest message body, bytes, at most 16,000,000: RabbitMQ 4.x closes the channel on more than 16 MiB. @default 16000000 */
  readonly maxMessageBytes?: number;
  /** Callers of one queue that may wait for a result at a time (`WorkQueue.request`). Too low: callers get no result though it would have come. Too high: each holds memory and, over HTTP, a connection. @default 1000 */
  readonly maxCallers?: number;
  /** Message ids of one queue to remember, so that an id used for two payloads is refused; about 150 bytes each, 0 remembers none. @default 10000 */
  readonly recentIds?: number;
}

/** The options with nothing left open. */
export interface Settings {
  readonly queues: readonly string[];
  readonly url: BrokerUrl;
  readonly managementUrl: string | undefined;
  readonly limits: LimitMode;
  readonly qos: ReadonlyMap<string, QueueQos>;
  /** What the QoS came from, for messages. */
  readonly qosSource: string;
  readonly codecs: Readonly<Record<string, AnyCodec>>;
  readonly name: string;
  readonly startTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly slotWaitMs: number;
  readonly confirmTimeoutMs: number;
  readonly maxMessageBytes: number;
  readonly maxCallers: number;
  readonly recentIds: number;
}

const DEFAULT_URL = 'amqp://guest:guest@127.0.0.1:5672';
const DEFAULT_CONFIG = 'spillway.yaml';
const MAX_MESSAGE_BYTES = 16_000_000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Options, then environment, then defaults; validated together.
 * @throws ConfigurationError
 */
export async function resolveSettings(
  options: WorkQueueOptions,
  environment: Environment,
): Promise<Settings> {
  const config = options.config ?? nonEmpty(environment.SPILLWAY_CONFIG) ?? DEFAULT_CONFIG;
  const qosSource = typeof config === 'string' ? config : 'WorkQueueModule config';
  const file = typeof config === 'string' ? await readQosFile(config) : resolveQos(config, qosSource);
  const url = urlOrProblem(options.url ?? nonEmpty(environment.RABBITMQ_URL) ?? DEFAULT_URL);
  const settings: Omit<Settings, 'url'> = {
    queues: [...new Set(options.queues)],
    managementUrl: options.managementUrl ?? nonEmpty(environment.RABBITMQ_MANAGEMENT_URL),
    limits: file.limits,
    qos: file.queues,
    qosSource,
    codecs: options.codecs ?? {},
    name: options.name ?? 'spillway',
    startTimeoutMs: options.startTimeoutMs ?? 15_000,
    drainTimeoutMs: options.drainTimeoutMs ?? 20_000,
    slotWaitMs: options.slotWaitMs ?? 50,
    confirmTimeoutMs: options.confirmTimeoutMs ?? 5_000,
    maxMessageBytes: options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
    maxCallers: options.maxCallers ?? 1_000,
    recentIds: options.recentIds ?? 10_000,
  };
  const problems = problemsOf(settings);
  if (typeof url === 'string') throw new ConfigurationError([url, ...problems].join('\n'));
  if (problems.length > 0) throw new ConfigurationError(problems.join('\n'));
  return Object.freeze({ ...settings, url });
}

function urlOrProblem(url: string): BrokerUrl | string {
  try {
    return parseBrokerUrl(url, 'RABBITMQ_URL');
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
}

function problemsOf(settings: Omit<Settings, 'url'>): string[] {
  return [
    ...settings.queues.filter((name) => !settings.qos.has(name)).map((name) => unknownQueue(name, settings)),
    ...Object.keys(settings.codecs)
      .filter((name) => !settings.qos.has(name) && !settings.queues.includes(name))
      .map((name) => `codecs: ${unknownQueue(name, settings)}`),
    ...wrongNumbers(settings),
    ...managementProblems(settings),
  ];
}

/** Says which queue has no QoS and where to give it one. */
export function unknownQueue(name: string, settings: Pick<Settings, 'qos' | 'qosSource'>): string {
  const known = [...settings.qos.keys()].join(', ');
  return `queue ${JSON.stringify(name)} has no QoS in ${settings.qosSource} (it has: ${known}). Add it under queues, or correct the name.`;
}

function wrongNumbers(settings: Omit<Settings, 'url'>): string[] {
  const bounds = {
    startTimeoutMs: [1, 3_600_000],
    drainTimeoutMs: [1, 3_600_000],
    slotWaitMs: [1, 60_000],
    confirmTimeoutMs: [1, 3_600_000],
    maxMessageBytes: [1, MAX_MESSAGE_BYTES],
    maxCallers: [0, 1_000_000],
    recentIds: [0, 10_000_000],
  } as const;
  return (Object.keys(bounds) as Array<keyof typeof bounds>).flatMap((name) => {
    const [min, max] = bounds[name];
    const value = settings[name];
    if (Number.isInteger(value) && value >= min && value <= max) return [];
    return [`${name}: expected an integer from ${min} to ${max}, got: ${String(value)}`];
  });
}

function managementProblems(settings: Omit<Settings, 'url'>): string[] {
  if (settings.managementUrl !== undefined || settings.limits === 'arguments') return [];
  return [
    'RABBITMQ_MANAGEMENT_URL is not set. The queue limit is a policy, set through RabbitMQ’s management API so that it can be changed while it runs. ' +
      `Set it (such as http://guest:guest@127.0.0.1:15672; rabbitmq-plugins enable rabbitmq_management), or write "limits: arguments" at the top of ${settings.qosSource} to fix the limit in the queue's arguments, which can never be changed live.`,
  ];
}

/** `RABBITMQ_URL=` in a shell or compose file means "not set". */
function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
