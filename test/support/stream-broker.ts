import { randomUUID } from 'node:crypto';
import {
  type BrokerConnection,
  type ConfirmAnswer,
  type ConsumeChannel,
  type QueueArguments,
  STREAM_OFFSET,
  type StreamOffset,
} from '../../libs/work-queue/src/broker/broker.port.js';
import { parseBrokerUrl } from '../../libs/work-queue/src/broker/broker-url.js';
import { ReconnectingConnection } from '../../libs/work-queue/src/broker/reconnecting-connection.js';
import { Telemetry } from '../../libs/work-queue/src/telemetry/telemetry.js';
import { until } from './until.js';

/** Entries of up to this many are delivered without an ack of the reader in between. */
const PREFETCH = 1_000;

export interface ReadEntry {
  readonly offset: number;
  readonly body: string;
}

/** An open connection of our own to a real broker. */
export async function connectTo(url: string, name: string = randomUUID()): Promise<ReconnectingConnection> {
  const connection = new ReconnectingConnection({
    url: parseBrokerUrl(url, 'RABBITMQ_URL'),
    name,
    startTimeoutMs: 10_000,
    telemetry: new Telemetry(),
  });
  await connection.open();
  return connection;
}

export async function declareStream(
  connection: BrokerConnection,
  stream: string,
  more: QueueArguments = {},
): Promise<void> {
  await connection.declareQueue(stream, { 'x-queue-type': 'stream', ...more });
}

/** Publishes all at once, waits for all confirms. */
export async function appendBurst(
  connection: BrokerConnection,
  stream: string,
  bodies: readonly string[],
): Promise<ConfirmAnswer[]> {
  const channel = await connection.openPublishChannel();
  const answers = bodies.map((body) => {
    const messageId = randomUUID();
    const message = {
      queue: stream,
      body: Buffer.from(body),
      messageId,
      contentType: undefined,
      headers: {},
    };
    return new Promise<ConfirmAnswer>((answered) => channel.publish(message, { messageId, answered }));
  });
  const answered = await Promise.all(answers);
  await channel.close();
  return answered;
}

/** Publishes one after another, each after the confirm of the one before. */
export async function appendSerially(
  connection: BrokerConnection,
  stream: string,
  bodies: readonly string[],
): Promise<void> {
  for (const body of bodies) await appendBurst(connection, stream, [body]);
}

/** A reader that remembers all it was given. */
export class RecordingReader {
  readonly entries: ReadEntry[] = [];
  isCancelled = false;

  private constructor(readonly channel: ConsumeChannel) {}

  static async open(
    connection: BrokerConnection,
    stream: string,
    streamOffset?: StreamOffset,
  ): Promise<RecordingReader> {
    const reader = new RecordingReader(await connection.openConsumeChannel());
    await reader.channel.consume({
      queue: stream,
      prefetch: PREFETCH,
      consumerTag: `reader.${randomUUID()}`,
      ...(streamOffset === undefined ? {} : { streamOffset }),
      onMessage: ({ deliveryTag, headers, body }) => {
        reader.entries.push({ offset: Number(headers[STREAM_OFFSET]), body: body.toString() });
        reader.channel.ack(deliveryTag);
      },
      onCancelled: () => (reader.isCancelled = true),
    });
    return reader;
  }

  get offsets(): number[] {
    return this.entries.map(({ offset }) => offset);
  }

  /** Resolves when what the broker had at once has been delivered. */
  async fence(): Promise<void> {
    await this.channel.cancel('nobody');
  }

  async hasRead(count: number): Promise<void> {
    await until(
      async () => (this.entries.length >= count ? undefined : `${this.entries.length} read`),
      5_000,
    );
  }

  async hasReadBody(body: string): Promise<void> {
    await until(
      async () => (this.entries.some((entry) => entry.body === body) ? undefined : `${body} not read`),
      10_000,
    );
  }
}
