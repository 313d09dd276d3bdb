import { connect } from 'amqplib';
import { until } from './until.js';
import { manage } from './vhost.js';

/** A dead letter with all that its headers say. */
export interface DeadLetter {
  readonly id: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Takes every message out of a dead-letter queue. */
export async function takeDeadLetters(url: string, queue: string): Promise<DeadLetter[]> {
  const connection = await connect(url);
  try {
    const channel = await connection.createChannel();
    const letters: DeadLetter[] = [];
    for (;;) {
      const message = await channel.get(`${queue}.dead`, { noAck: true });
      if (!message) return letters;
      const { messageId, headers = {} } = message.properties;
      letters.push({ id: String(messageId), headers });
    }
  } finally {
    await connection.close();
  }
}

/** Ready messages of several queues, by one connection: exact and current. */
export class QueueDepths {
  private constructor(private readonly connection: Awaited<ReturnType<typeof connect>>) {}

  static async open(url: string): Promise<QueueDepths> {
    return new QueueDepths(await connect(url));
  }

  /** Undefined when there is no such queue. */
  async of(queue: string): Promise<number | undefined> {
    const channel = await this.connection.createChannel();
    channel.on('error', () => undefined);
    try {
      const { messageCount } = await channel.checkQueue(queue);
      await channel.close();
      return messageCount;
    } catch {
      return undefined;
    }
  }

  async sumOf(queues: readonly string[]): Promise<number> {
    const depths = await Promise.all(queues.map((queue) => this.of(queue)));
    return depths.reduce<number>((sum, depth = 0) => sum + depth, 0);
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}

/** Has the broker close these connections of a vhost: it lists them a little after they were opened. */
export async function closeConnections(vhost: string, clientNames: readonly string[]): Promise<void> {
  const names = new Map<string, string>();
  await until(async () => {
    for (const connection of listOf(await manage('GET', `vhosts/${vhost}/connections`))) {
      const clientName = fieldOf(fieldOf(connection, 'client_properties'), 'connection_name');
      names.set(String(clientName), String(fieldOf(connection, 'name')));
    }
    const missing = clientNames.find((name) => !names.has(name));
    return missing && `${missing} is not listed, but: ${[...names.keys()].join(', ')}`;
  });
  const wanted = clientNames.flatMap((name) => names.get(name) ?? []);
  await Promise.all(wanted.map((name) => manage('DELETE', `connections/${encodeURIComponent(name)}`)));
}

/** Resolves when the broker has these consumers in a vhost, by queue, with these prefetches; it tells so with a delay. */
export async function consumersAre(
  vhost: string,
  prefetches: Readonly<Record<string, number>>,
): Promise<void> {
  const wanted = linesOf(Object.entries(prefetches));
  await until(async () => {
    const found = linesOf(await consumersOf(vhost));
    return found === wanted ? undefined : `expected ${wanted}, got ${found}`;
  }, 20_000);
}

async function consumersOf(vhost: string): Promise<Array<[string, number]>> {
  const consumers: unknown = await manage('GET', `consumers/${vhost}`);
  return listOf(consumers).map((consumer) => {
    const queue = fieldOf(fieldOf(consumer, 'queue'), 'name');
    return [String(queue), Number(fieldOf(consumer, 'prefetch_count'))];
  });
}

function linesOf(consumers: ReadonlyArray<readonly [string, number]>): string {
  const lines = consumers.map(([queue, prefetch]) => `${queue}: ${prefetch}`);
  return lines.toSorted().join(', ');
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
