import { join } from 'node:path';
import { type AppProcess, spawnTypescript } from './app-process.js';
import type { BrokerAddress } from './system.js';

const FIXTURE = join(import.meta.dirname, '../fixtures/worker.main.ts');

/** Starts the worker fixture on the queue `orders`; it prints `ready` once it consumes. */
export function spawnWorker(
  { url, managementUrl }: BrokerAddress,
  qos: object,
  drainTimeoutMs = 20_000,
): AppProcess {
  const environment = { RABBITMQ_URL: url, RABBITMQ_MANAGEMENT_URL: managementUrl };
  return spawnTypescript(FIXTURE, environment, [JSON.stringify(qos), String(drainTimeoutMs)]);
}

/** The ids of the handlers it started (`start`) or finished (`end`), in order, from a line on. */
export function idsIn(lines: readonly string[], what: 'start' | 'end'): string[] {
  return lines.flatMap((line) => (line.startsWith(`${what} `) ? line.slice(what.length + 1) : []));
}

/** Starts a worker again whenever it dies, as an orchestrator does, until it is stopped. */
export class Supervisor {
  /** Workers that were killed so far. */
  deaths = 0;
  private readonly workers: AppProcess[] = [];
  private isStopping = false;
  private readonly running: Promise<void>;

  constructor(private readonly spawn: () => AppProcess) {
    this.running = this.run();
    this.running.catch(() => undefined);
  }

  /** What all of them printed. */
  get lines(): string[] {
    return this.workers.flatMap(({ lines }) => lines);
  }

  /** @throws when a worker ended otherwise than by a signal */
  async stop(): Promise<void> {
    this.isStopping = true;
    await this.workers.at(-1)?.stop();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      const worker = this.spawn();
      this.workers.push(worker);
      const code = await worker.exited;
      if (code === null) this.deaths++;
      else if (!this.isStopping)
        throw new Error(`the worker ended with ${code}:\n${worker.lines.join('\n')}`);
    }
  }
}
