import type { BenchVhost } from '../broker/bench-vhost.js';
import { MeasuredProcess } from '../process/measured-process.js';
import { rotated } from '../report/rounds.js';
import type { Surroundings } from '../surroundings.js';
import type { Measurement } from './measure.js';
import { type ClientName, fileOf } from './publish-client.js';
import type { PublishSample } from './publish-summary.js';
import type { PublishQuestion } from './serve-publisher.js';
import { payloadOf, type Scenario } from './scenario.js';

export interface PublishPlan {
  readonly clients: readonly ClientName[];
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  readonly measureMs: number;
}

/** A client in its process, for the whole run: its code is compiled once. */
interface Candidate {
  readonly client: ClientName;
  readonly publisher: MeasuredProcess<PublishQuestion, Measurement>;
}

/** One measurement. */
interface Cell extends Candidate {
  readonly round: number;
  readonly scenario: Scenario;
}

/** Of each cell: connections are new, and so is the queue. */
const WARM_UP_MS = 500;
/** Not counted: everybody's code is compiled. */
const WARM_UP_ROUND = 0;

/** Every round runs every scenario with every client, one at a time, in an order that rotates. */
export async function benchPublish(plan: PublishPlan, surroundings: Surroundings): Promise<PublishSample[]> {
  const candidates = plan.clients.map((client) => startCandidate(client, surroundings));
  const samples: PublishSample[] = [];
  try {
    for (const cell of cellsOf(plan, candidates)) {
      surroundings.say(progressOf(cell, plan));
      const measurement = await measureCell(cell, { ...plan, vhost: surroundings.vhost });
      if (cell.round !== WARM_UP_ROUND) samples.push(sampleOf(cell, measurement));
    }
    return samples;
  } finally {
    await Promise.all(candidates.map(({ publisher }) => publisher.stop()));
  }
}

function startCandidate(client: ClientName, { signal }: Surroundings): Candidate {
  return { client, publisher: new MeasuredProcess({ name: client, file: fileOf(client), signal }) };
}

function cellsOf({ rounds, scenarios }: PublishPlan, candidates: readonly Candidate[]): Cell[] {
  const cellsOfRound = (round: number, those: readonly Scenario[]): Cell[] =>
    those.flatMap((scenario, turn) =>
      rotated(candidates, round + turn).map((candidate) => ({ ...candidate, round, scenario })),
    );
  return [
    ...cellsOfRound(WARM_UP_ROUND, scenarios.slice(0, 1)),
    ...Array.from({ length: rounds }, (_, index) => cellsOfRound(index + 1, scenarios)).flat(),
  ];
}

function progressOf({ round, scenario, client }: Cell, { rounds }: PublishPlan): string {
  const when = round === WARM_UP_ROUND ? 'warm-up' : `round ${round} of ${rounds}`;
  return `${when}: ${scenario.name}: ${client}`;
}

/** In a queue of its own, which is gone afterwards: nobody publishes behind what another left. */
async function measureCell(
  { scenario, client, publisher }: Cell,
  { vhost, measureMs }: { vhost: BenchVhost; measureMs: number },
): Promise<Measurement> {
  const { window, queueType, bodyBytes, kind } = scenario;
  const queue = `${client}.${queueType}`;
  // Ours declares its own, with its limit; a policy of it matches that name only.
  if (client !== 'ours') await vhost.declareQueue(queue, queueType);
  const measurement = await publisher.ask({
    target: { ...vhost.urls, queue, queueType, window, usesDefaults: kind === 'serial' },
    load: { payload: payloadOf(bodyBytes), window, warmUpMs: WARM_UP_MS, measureMs },
  });
  await vhost.deleteQueue(queue);
  return measurement;
}

function sampleOf(
  { round, scenario, client }: Cell,
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
