import { randomUUID } from 'node:crypto';
import { Management } from './management.js';

export type QueueType = 'classic' | 'quorum';

export interface BrokerUrls {
  /** AMQP, with user and password. */
  readonly url: string;
  readonly managementUrl: string;
}

/** A vhost of its own for one run: nothing that was there before is touched, and nothing is left behind. */
export class BenchVhost {
  private constructor(
    private readonly management: Management,
    private readonly name: string,
    /** Of this vhost. */
    readonly urls: BrokerUrls,
  ) {}

  static async create({ url: brokerUrl, managementUrl }: BrokerUrls): Promise<BenchVhost> {
    const management = new Management(new URL(managementUrl));
    const name = `bench-${randomUUID()}`;
    const url = new URL(brokerUrl);
    const user = encodeURIComponent(decodeURIComponent(url.username) || 'guest');
    await management.request('PUT', `vhosts/${name}`);
    const everything = { configure: '.*', write: '.*', read: '.*' };
    await management.request('PUT', `permissions/${name}/${user}`, everything);
    url.pathname = `/${name}`;
    return new BenchVhost(management, name, { url: url.href, managementUrl });
  }

  async brokerVersion(): Promise<string> {
    const overview = await this.management.request('GET', 'overview');
    if (typeof overview !== 'object' || overview === null || !('rabbitmq_version' in overview))
      return 'unknown';
    return String(overview.rabbitmq_version);
  }

  /** Durable; `others` are arguments beside the type. */
  async declareQueue(
    queue: string,
    type: QueueType,
    others: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    const declaration = { durable: true, arguments: { 'x-queue-type': type, ...others } };
    await this.management.request('PUT', this.pathOf(queue), declaration);
  }

  async deleteQueue(queue: string): Promise<void> {
    await this.management.request('DELETE', this.pathOf(queue));
  }

  async purgeQueue(queue: string): Promise<void> {
    await this.management.request('DELETE', `${this.pathOf(queue)}/contents`);
  }

  async delete(): Promise<void> {
    await this.management.request('DELETE', `vhosts/${this.name}`);
  }

  private pathOf(queue: string): string {
    return `queues/${this.name}/${encodeURIComponent(queue)}`;
  }
}
