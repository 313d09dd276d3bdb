import type { BrokerUrls, QueueType } from '../broker/bench-vhost.js';

/** What runs in the process of each. */
const CLIENT_FILES = {
  'ours-bare': 'ours-bare.child.js',
  ours: 'ours.child.js',
  amqplib: 'amqplib.child.js',
  'amqplib-multi': 'amqplib-multi.child.js',
  'rabbitmq-client': 'rabbitmq-client.child.js',
  golevelup: 'golevelup.child.js',
  'nest-rmq': 'nest-rmq.child.js',
} as const;

export type ConsumerName = keyof typeof CLIENT_FILES;
export const CONSUMER_NAMES = [
  'ours-bare',
  'ours',
  'amqplib',
  'amqplib-multi',
  'rabbitmq-client',
  'golevelup',
  'nest-rmq',
] as const satisfies readonly ConsumerName[];

export const fileOf = (client: ConsumerName): URL =>
  new URL(`clients/${CLIENT_FILES[client]}`, import.meta.url);

export interface ConsumeTarget extends BrokerUrls {
  /** It exists, and holds everything that is to be handled. */
  readonly queue: string;
  readonly queueType: QueueType;
  /** Also how many handlers may run at once, for those that have a say in it. */
  readonly prefetch: number;
}

/** One connection, one channel, one consumer; every body is decoded from JSON, every message acked. */
export interface ConsumeClient {
  /** Resolves when everything handled is acked and the connection is closed. */
  close(): Promise<unknown>;
}

/** Everybody's handler does nothing but call `handled`. */
export type StartConsumer = (target: ConsumeTarget, handled: () => void) => Promise<ConsumeClient>;
