import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AppProcess, startApp } from './app-process.js';
import { createVhost, type TestVhost } from './vhost.js';

/** Where a broker is: a vhost on the shared one, or a broker of the test's own. */
export interface BrokerAddress {
  readonly url: string;
  readonly managementUrl: string;
}

/** QoS of one queue of the system, in the file's own words. */
export type QueueOptions = Readonly<Record<string, string | number>>;

/** There for the gateway; most tests post no photographs. */
const IMAGES: QueueOptions = { maxLength: 10, prefetch: 2, type: 'classic' };

/**
 * The whole system as its users run it: real processes, a QoS file, a data folder, a vhost, all of its own and all
 * gone after `close`.
 */
export class System {
  private readonly apps: AppProcess[] = [];

  private constructor(
    readonly folder: string,
    readonly environment: Readonly<Record<string, string>>,
    private readonly vhost: TestVhost | undefined,
  ) {}

  /**
   * @param events the queue of webhook events
   * @param broker a broker of the test's own; without it, a new vhost on the shared one
   * @param images the queue of photographs
   */
  static async create(events: QueueOptions, broker?: BrokerAddress, images = IMAGES): Promise<System> {
    const folder = await mkdtemp(join(tmpdir(), 'spillway-'));
    const config = join(folder, 'spillway.yaml');
    // JSON is YAML.
    await writeFile(config, JSON.stringify({ queues: { 'github-events': events, images } }));
    const vhost = broker ? undefined : await createVhost();
    const address = broker ?? vhost;
    if (!address) throw new Error('no broker');
    const environment = {
      RABBITMQ_URL: address.url,
      RABBITMQ_MANAGEMENT_URL: address.managementUrl,
      SPILLWAY_CONFIG: config,
      SPILLWAY_DATA_DIR: join(folder, 'data'),
      PORT: '0',
    };
    return new System(folder, environment, vhost);
  }

  get dataFolder(): string {
    return join(this.folder, 'data');
  }

  async startGateway(
    environment: Readonly<Record<string, string>> = {},
  ): Promise<{ app: AppProcess; url: string }> {
    const app = await startApp('gateway', { ...this.environment, ...environment });
    this.apps.push(app);
    const line = await app.line(/listening on/);
    const url = /http:\S+/.exec(line)?.[0];
    if (url === undefined) throw new Error(`no URL in: ${line}`);
    return { app, url };
  }

  async startWorker(
    args: readonly string[] = [],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<AppProcess> {
    const app = await startApp('events-worker', { ...this.environment, ...environment }, args);
    this.apps.push(app);
    return app;
  }

  async startThumbnailsWorker(environment: Readonly<Record<string, string>> = {}): Promise<AppProcess> {
    const app = await startApp('thumbnails-worker', { ...this.environment, ...environment });
    this.apps.push(app);
    return app;
  }

  async close(): Promise<void> {
    await Promise.all(this.apps.map((app) => app.stop()));
    await this.vhost?.delete();
    // A process that was told to end may be writing its last.
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
