import { startFixture } from './app-process.js';
import type { BrokerAddress } from './system.js';

/** A process in peace goes up and down by 20 MiB; clients that keep what they cannot send grow by 175 to 275. */
export const RSS_GROWTH_MIB = 60;

/** What 100,000 publishes to a broker in trouble cost a process. */
export interface FloodResult {
  readonly p99Ms: number;
  /** How often each outcome came. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** What the program kept of it, once the collector was done. */
  readonly heapGrowthMiB: number;
  /** What the process kept. */
  readonly rssGrowthMiB: number;
}

/** Starts a publisher as a process, makes trouble for its broker, and has it publish once it knows the reason. */
export async function flood(
  { url, managementUrl }: BrokerAddress,
  reason: string,
  makeTrouble: () => Promise<void>,
): Promise<FloodResult> {
  const app = await startFixture(
    'publish-flood.main.ts',
    {
      RABBITMQ_URL: url,
      RABBITMQ_MANAGEMENT_URL: managementUrl,
      // By itself V8 makes room for up to 48 MiB of garbage under load, which would hide what is kept.
      NODE_OPTIONS: '--max-semi-space-size=2',
    },
    [reason],
  );
  try {
    await makeTrouble();
    app.signal('SIGUSR2');
    const line = await app.line(/^flood /);
    return JSON.parse(line.slice('flood '.length)) as FloodResult;
  } finally {
    await app.stop();
  }
}
