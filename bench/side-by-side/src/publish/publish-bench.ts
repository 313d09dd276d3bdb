import type { BenchVhost } from '../broker/bench-vhost.js';
import { payloadOf } from '../payload.js';
import { type Cell, interleave } from '../process/interleaved.js';
import type { Surroundings } from '../surroundings.js';
import type { Measurement } from './measure.js';
import { type ClientName, fileOf } from './publish-client.js';
import type { PublishSample } from './publish-summary.js';
import type { Scenario } from './scenario.js';
import type { PublishQuestion } from './serve-publisher.js';

export interface PublishPlan {
  readonly clients: readonly ClientName[];
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  readonly measureMs: number;
}

type PublishCell = Cell<ClientName, Scenario, PublishQuestion, Measurement>;

/** Of each cell: connections are new, and so is the queue. */
const WARM_UP_MS = 500;

export function benchPublish(plan: PublishPlan, surroundings: Surroundings): Promise<PublishSample[]> {
  const { vhost } = surroundings;
  const { measureMs } = plan;
  return interleave({ ...plan, fileOf }, surroundings, async (cell: PublishCell) =>
    sampleOf(cell, await measureCell(cell, { vhost, measureMs })),
  );
}

/** In a queue of its own, which is gone afterwards: nobody publishes behind what another left. */
async function measureCell(
  { scenario, client, process }: PublishCell,
  { vhost, measureMs }: { vhost: BenchVhost; measureMs: number },
): Promise<Measurement> {
  const { window, queueType, bodyBytes, kind } = scenario;
  const queue = `${client}.${queueType}`;
  // Ours declares its own, with its limit; a policy of it matches that name only.
  if (client !== 'ours') await vhost.declareQueue(queue, queueType);
  const measurement = await process.ask({
    target: { ...vhost.urls, queue, queueType, window, usesDefaults: kind === 'serial' },
    load: { payload: payloadOf(bodyBytes), window, warmUpMs: WARM_UP_MS, measureMs },
  });
  await vhost.deleteQueue(queue);
  return measurement;
}

function sampleOf(
  { round, scenario, client }: PublishCell,
  { confirmed, elapsedMs, cpu }: Measurement,
): PublishSample {
  return {
    round,
    scenario: scenario.name,
    client,
    messagesPerSec: (confirmed * 1_000) / elapsedMs,
    cpuUserUs: cpu.userUs / confirmed,
    cpuSystemUs: cpu.systemUs / confirmed,
  };
}
