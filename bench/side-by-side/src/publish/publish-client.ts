import type { BrokerUrls, QueueType } from '../broker/bench-vhost.js';
import type { Payload } from '../payload.js';

/** What runs in the process of each. */
const CLIENT_FILES = {
  ours: 'ours.child.js',
  amqplib: 'amqplib.child.js',
  golevelup: 'golevelup.child.js',
  'amqp-connection-manager': 'amqp-connection-manager.child.js',
  'rabbitmq-client': 'rabbitmq-client.child.js',
  ClientRMQ: 'client-rmq.child.js',
} as const;

export type ClientName = keyof typeof CLIENT_FILES;
export const CLIENT_NAMES = [
  'ours',
  'amqplib',
  'golevelup',
  'amqp-connection-manager',
  'rabbitmq-client',
  'ClientRMQ',
] as const satisfies readonly ClientName[];

export const fileOf = (client: ClientName): URL =>
  new URL(`clients/${CLIENT_FILES[client]}`, import.meta.url);

export interface PublishTarget extends BrokerUrls {
  readonly queue: string;
  readonly queueType: QueueType;
  /** Publishes that may be unconfirmed at a time. */
  readonly window: number;
  /** Only raw amqplib asks: everybody else runs with its own defaults always. */
  readonly usesDefaults: boolean;
}

/** One connection and one channel with confirms; persistent messages through the default exchange. */
export interface PublishClient {
  /** Resolves when the broker has confirmed. */
  publish(payload: Payload): Promise<unknown>;
  close(): Promise<unknown>;
}

export type OpenClient = (target: PublishTarget) => Promise<PublishClient>;
