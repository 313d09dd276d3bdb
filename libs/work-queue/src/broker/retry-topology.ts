import { TopologyError } from '../errors/topology.error.js';
import type { BrokerConnection } from './broker.port.js';
import { toTopologyError } from './declare-refused.js';
import type { SelfContainedQueue } from './harmful-policy.js';
import type { Management } from './management-api.js';
import { dueArguments, type QueueDescription, waitArguments } from './queue-arguments.js';
import { aloneQueueOf, dueQueueOf, waitQueueOf } from './queue-target.js';
import { objectionToRetries, type RetryView } from './retry-objection.js';

/** The retry queues of one work queue. */
export interface RetryTarget {
  /** The work queue; its dead-letter queue is there already. */
  readonly queue: string;
  /** How long work waits in each wait queue, milliseconds: whole numbers, 1 or more, none twice. */
  readonly stepsMs: readonly number[];
}

export interface RetryDeps {
  readonly connection: Pick<BrokerConnection, 'declareQueue' | 'inspectQueue'>;
  /** Without it policies stay unseen, and what is different is the broker's to say. */
  readonly management: Management | undefined;
}

const ADVICE = 'Drain and delete it, it will be made anew.';

/** The due queue first: nothing may become due while the queue for it is not there. */
export function retryQueuesOf({ queue, stepsMs }: RetryTarget): SelfContainedQueue[] {
  return [
    { name: dueQueueOf(queue), queueArguments: dueArguments(queue) },
    { name: aloneQueueOf(queue), queueArguments: dueArguments(queue) },
    ...stepsMs.map((stepMs) => ({
      name: waitQueueOf(queue, stepMs),
      queueArguments: waitArguments(queue, stepMs),
    })),
  ];
}

/**
 * Makes the broker hold the due queue and the wait queues, or says why it cannot. Doing it again changes nothing,
 * and any number of processes may do it at once. `wasCreated`: at least one was missing.
 * @throws TopologyError when something on the broker contradicts them; then nothing was changed there
 * @throws ManagementError when the management API cannot be used
 */
export async function ensureRetryQueues(
  target: RetryTarget,
  { connection, management }: RetryDeps,
): Promise<{ readonly wasCreated: boolean }> {
  const queues = retryQueuesOf(target);
  const { toCompare, missing } = management
    ? await lookByApi(target, queues, management)
    : await lookByConnection(queues, connection);
  // Over a queue that is there a declare only compares; all of that comes before the first change.
  for (const queue of toCompare)
    await declare(queue, connection, `${ADVICE} Nothing was changed on the broker.`);
  for (const queue of missing) await declare(queue, connection, ADVICE);
  return { wasCreated: missing.length > 0 };
}

/**
 * What is wrong with the retry queues of a running process, read anew; undefined when nothing is. Changes nothing.
 * @throws ManagementError when the management API cannot be used
 */
export async function problemOfRetries(
  target: RetryTarget,
  { connection, management }: RetryDeps,
): Promise<string | undefined> {
  const queues = retryQueuesOf(target);
  const missing = await missingQueues(queues, connection);
  if (missing.length > 0)
    return `Missing on the broker: ${missing.map(({ name }) => `"${name}"`).join(', ')}.`;
  return management && objectionToRetries(queues, await readPolicies(management));
}

export async function missingQueues(
  queues: readonly SelfContainedQueue[],
  connection: Pick<BrokerConnection, 'inspectQueue'>,
): Promise<SelfContainedQueue[]> {
  const readings = await Promise.all(queues.map(({ name }) => connection.inspectQueue(name)));
  return queues.filter((_, index) => readings[index] === undefined);
}

interface Look {
  /** There, and only the broker can tell whether as wanted. */
  readonly toCompare: readonly SelfContainedQueue[];
  readonly missing: readonly SelfContainedQueue[];
}

/** Asks the API for each: a passive declare of a queue that is not there would cost the channel. */
async function lookByApi(
  { queue }: RetryTarget,
  queues: readonly SelfContainedQueue[],
  management: Management,
): Promise<Look> {
  const [policies, ...descriptions] = await Promise.all([
    readPolicies(management),
    ...queues.map(({ name }) => management.getQueue(name)),
  ]);
  const found = new Map<string, QueueDescription>();
  queues.forEach(({ name }, index) => {
    const description = descriptions[index];
    if (description) found.set(name, description);
  });
  const objection = objectionToRetries(queues, { ...policies, found });
  if (objection) throw new TopologyError(`${objection} Nothing was changed on the broker.`, { queue });
  return { toCompare: [], missing: queues.filter(({ name }) => !found.has(name)) };
}

async function lookByConnection(
  queues: readonly SelfContainedQueue[],
  connection: RetryDeps['connection'],
): Promise<Look> {
  const missing = await missingQueues(queues, connection);
  return { toCompare: queues.filter((queue) => !missing.includes(queue)), missing };
}

async function readPolicies(management: Management): Promise<RetryView> {
  const [policies, operatorPolicies] = await Promise.all([
    management.listPolicies(),
    management.listOperatorPolicies(),
  ]);
  return { found: new Map(), policies, operatorPolicies };
}

async function declare(
  { name, queueArguments }: SelfContainedQueue,
  connection: RetryDeps['connection'],
  advice: string,
): Promise<void> {
  await connection.declareQueue(name, queueArguments).catch((error: unknown) => {
    throw toTopologyError(name, error, advice);
  });
}
