import { setTimeout as delay } from 'node:timers/promises';
import type { Payload } from '../payload.js';
import { type CpuTime, cpuTimeSince } from '../process/cpu-time.js';
import type { PublishClient } from './publish-client.js';

export interface Load {
  readonly payload: Payload;
  /** Publishes kept unconfirmed. */
  readonly window: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** What was confirmed between two moments of a steady load: neither its beginning nor its end is in it. */
export interface Measurement {
  readonly confirmed: number;
  readonly elapsedMs: number;
  readonly cpu: CpuTime;
}

/** @throws what the first publish that fails throws */
export async function measure(client: PublishClient, load: Load): Promise<Measurement> {
  let confirmed = 0;
  let isOver = false;
  const publishAgainAndAgain = async () => {
    while (!isOver) {
      await client.publish(load.payload);
      confirmed += 1;
    }
  };
  const observe = async (): Promise<Measurement> => {
    await delay(load.warmUpMs);
    const before = { confirmed, at: performance.now(), cpu: cpuTimeSince() };
    await delay(load.measureMs);
    isOver = true;
    const elapsedMs = performance.now() - before.at;
    return { confirmed: confirmed - before.confirmed, elapsedMs, cpu: cpuTimeSince(before.cpu) };
  };
  const [measurement] = await Promise.all([
    observe(),
    ...Array.from({ length: load.window }, publishAgainAndAgain),
  ]);
  return measurement;
}
