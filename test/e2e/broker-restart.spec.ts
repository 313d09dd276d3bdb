import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startPrivateNode } from '../../scripts/broker/private-node.mjs';
import { allWritten } from '../support/rows.js';
import { System } from '../support/system.js';
import { postWebhook } from '../support/webhooks.js';

const BEFORE = 100;
const AFTER = 100;

describe('a broker that is restarted in the middle of the work', () => {
  const cleanups: Array<() => Promise<unknown>> = [];

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  it.each(['stopped', 'killed'] as const)(
    'and was %s leaves no accepted event without its row, and gateway and worker go on by themselves',
    async (how) => {
      const dir = await mkdtemp(join(tmpdir(), 'sw-broker-'));
      cleanups.push(() => rm(dir, { recursive: true, force: true }));
      let node = await startPrivateNode({ dir });
      cleanups.push(() => node.kill());
      const system = await System.create({ maxLength: 1_000, serviceTime: '20ms', prefetch: 5 }, node);
      cleanups.push(() => system.close());
      const { url } = await system.startGateway();
      await system.startWorker(['--service-time', '20ms']);

      const accepted: string[] = [];
      const clients = new AbortController();
      const lanes = Array.from({ length: 4 }, () => keepPosting(url, accepted, clients.signal));
      await reached(accepted, BEFORE);
      await (how === 'stopped' ? node.stop() : node.kill());
      node = await startPrivateNode({ dir });
      await reached(accepted, accepted.length + AFTER);
      clients.abort();
      await Promise.all(lanes);

      const rows = await allWritten(system.dataFolder, accepted);
      expect(rows).toBeGreaterThanOrEqual(accepted.length);
    },
    180_000,
  );
});

/** A well-behaved client: what was not accepted is sent again with the same id, at once. */
async function keepPosting(url: string, accepted: string[], stop: AbortSignal): Promise<void> {
  let id = randomUUID();
  while (!stop.aborted) {
    const answer = await postWebhook(url, { id });
    if (answer.status === 202) {
      accepted.push(id);
      id = randomUUID();
    } else if (answer.status !== 503) {
      throw new Error(`answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    }
  }
}

async function reached(accepted: readonly string[], count: number): Promise<void> {
  const { until } = await import('../support/until.js');
  await until(
    async () => (accepted.length >= count ? undefined : `${accepted.length} of ${count} accepted`),
    90_000,
  );
}
