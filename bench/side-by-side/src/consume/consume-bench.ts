import { QueueLoader } from '../broker/queue-loader.js';
import { type Cell, interleave } from '../process/interleaved.js';
import type { Surroundings } from '../surroundings.js';
import { problemOf } from './cell-problem.js';
import { type ConsumerName, fileOf } from './consume-client.js';
import type { ConsumeSample, InvalidCell } from './consume-summary.js';
import type { HandledSpan } from './handled-meter.js';
import { bodyOf, type ConsumeScenario, countsOf } from './scenario.js';
import type { ConsumeAnswer, ConsumeQuestion } from './serve-consumer.js';

export interface ConsumePlan {
  readonly clients: readonly ConsumerName[];
  readonly scenarios: readonly ConsumeScenario[];
  readonly rounds: number;
  /** About how long raw amqplib takes for the measured messages of a cell. */
  readonly seconds: number;
}

export interface ConsumeCells {
  readonly samples: readonly ConsumeSample[];
  readonly invalid: readonly InvalidCell[];
}

type ConsumeCell = Cell<ConsumerName, ConsumeScenario, ConsumeQuestion, ConsumeAnswer>;

interface CellSurroundings extends Pick<Surroundings, 'vhost'> {
  readonly loader: QueueLoader;
  readonly seconds: number;
}

const BODY = bodyOf();

/**
 * How a cell is measured, for everybody alike: the parent fills a new queue with the warm-up and the measured messages
 * together and waits for the confirms; only then the client's process connects and consumes it to the end without a
 * pause. Time and CPU time of that process are taken from the first message after the warm-up to the last one, in the
 * handler, so that connecting is in neither, nor is closing. A moment later the client closes as it does in an
 * application; then the queue must be empty, and the handler called once for each message.
 */
export async function benchConsume(plan: ConsumePlan, surroundings: Surroundings): Promise<ConsumeCells> {
  const { vhost } = surroundings;
  const loader = await QueueLoader.connect(vhost.urls.url);
  try {
    const { seconds } = plan;
    const cells = await interleave({ ...plan, fileOf }, surroundings, (cell: ConsumeCell) =>
      measureCell(cell, { vhost, loader, seconds }),
    );
    return {
      samples: cells.flatMap((cell) => ('problem' in cell ? [] : [cell])),
      invalid: cells.flatMap((cell) => ('problem' in cell ? [cell] : [])),
    };
  } finally {
    await loader.close();
  }
}

async function measureCell(
  { round, scenario, client, process }: ConsumeCell,
  { vhost, loader, seconds }: CellSurroundings,
): Promise<ConsumeSample | InvalidCell> {
  const { queueType, prefetch } = scenario;
  const counts = countsOf(scenario, seconds);
  const loaded = counts.warmUp + counts.measured;
  const queue = `${client}.${queueType}`;
  await vhost.declareQueue(queue, queueType, argumentsOf(queue));
  await loader.load(queue, BODY, loaded);
  const { handled, span } = await process.ask({
    target: { ...vhost.urls, queue, queueType, prefetch },
    counts,
  });
  const problem = problemOf({ loaded, handled, left: await loader.left(queue) });
  await vhost.deleteQueue(queue);
  const cell = { round, scenario: scenario.name, client };
  return span && problem === undefined
    ? { ...cell, ...ratesOf(span) }
    : { ...cell, problem: problem ?? 'nothing was measured' };
}

/** Those that ours insists on, for everybody: the broker has the same to do for each. */
const argumentsOf = (queue: string): Record<string, string> => ({
  'x-overflow': 'reject-publish',
  'x-dead-letter-exchange': '',
  'x-dead-letter-routing-key': `${queue}.dead`,
});

function ratesOf({
  messages,
  elapsedMs,
  cpu,
}: HandledSpan): Pick<ConsumeSample, 'messagesPerSec' | 'cpuUserUs' | 'cpuSystemUs'> {
  return {
    messagesPerSec: (messages * 1_000) / elapsedMs,
    cpuUserUs: cpu.userUs / messages,
    cpuSystemUs: cpu.systemUs / messages,
  };
}
