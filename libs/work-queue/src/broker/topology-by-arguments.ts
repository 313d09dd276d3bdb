import type { BrokerConnection } from './broker.port.js';
import { isInequivalent, toTopologyError } from './declare-refused.js';
import { type LimitInForce, resolveLimit } from './limit-in-force.js';
import { argumentsWithLimit, deadLetterArgumentsWithLimit } from './queue-arguments.js';
import { deadLetterQueueOf, type QueueTarget } from './queue-target.js';
import type { EnsuredQueue, LimitCheck } from './topology-result.js';

type Connection = Pick<BrokerConnection, 'declareQueue' | 'inspectQueue'>;

const ADVICE =
  'With limits: arguments a limit is fixed when the queue is created and cannot be changed live: drain and delete ' +
  'the queue, use another name, change the QoS file, or use limits: policy with a management URL.';

/** For brokers whose management API is out of reach. Policies set by others stay unseen. */
export async function ensureByArguments(target: QueueTarget, connection: Connection): Promise<EnsuredQueue> {
  const deadLetterQueue = deadLetterQueueOf(target.name);
  if (!(await connection.inspectQueue(deadLetterQueue))) {
    await connection.declareQueue(deadLetterQueue, deadLetterArgumentsWithLimit(target));
  }
  const wasThere = (await connection.inspectQueue(target.name)) !== undefined;
  // On a queue that is there this only compares: other arguments are refused with 406 and nothing changes.
  await declare(target, connection);
  return { wasCreated: !wasThere, inForce: limitByArguments(target) };
}

export async function verifyByArguments(target: QueueTarget, connection: Connection): Promise<LimitCheck> {
  const inForce = limitByArguments(target);
  if (!(await connection.inspectQueue(target.name))) {
    const reason = `Queue "${target.name}" does not exist on the broker. Restart the process to create it.`;
    return { ok: false, reason, inForce };
  }
  try {
    await declare(target, connection);
    return { ok: true, inForce };
  } catch (error) {
    if (!(error instanceof Error) || !isInequivalent(error.cause)) throw error;
    return { ok: false, reason: error.message, inForce };
  }
}

async function declare(target: QueueTarget, connection: Connection): Promise<void> {
  await connection.declareQueue(target.name, argumentsWithLimit(target)).catch((error: unknown) => {
    throw toTopologyError(target.name, error, ADVICE);
  });
}

function limitByArguments(target: QueueTarget): LimitInForce {
  const limit = resolveLimit({
    queue: target.name,
    type: target.type,
    arguments: argumentsWithLimit(target),
    policies: [],
    operatorPolicies: [],
  });
  return { ...limit, decidedBy: `${limit.decidedBy}; policies are not read with limits: arguments` };
}
