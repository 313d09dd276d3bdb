import { type LimitInForce, resolveLimit } from './limit-in-force.js';
import type { Management } from './management-api.js';
import type { Policy } from './policy.js';
import { argumentsUnderPolicy, type QueueDescription } from './queue-arguments.js';
import { deadLetterQueueOf, type QueueTarget } from './queue-target.js';

/** What the broker holds that decides about one queue, read at one moment. */
export interface BrokerView {
  readonly queue: QueueDescription | undefined;
  readonly deadLetterQueue: QueueDescription | undefined;
  readonly policies: readonly Policy[];
  /** Undefined when this user may not list them. */
  readonly operatorPolicies: readonly Policy[] | undefined;
}

/** Asks the API for both queues: a passive declare of a queue that is not there would cost the channel. */
export async function readBrokerView(queue: string, management: Management): Promise<BrokerView> {
  const [description, deadLetterQueue, policies, operatorPolicies] = await Promise.all([
    management.getQueue(queue),
    management.getQueue(deadLetterQueueOf(queue)),
    management.listPolicies(),
    management.listOperatorPolicies(),
  ]);
  return { queue: description, deadLetterQueue, policies, operatorPolicies };
}

/** The same broker once `policies` are set. */
export function withPolicies(view: BrokerView, policies: readonly Policy[]): BrokerView {
  const names = new Set(policies.map(({ name }) => name));
  return { ...view, policies: [...view.policies.filter(({ name }) => !names.has(name)), ...policies] };
}

/** The limit in force on the target's queue; of a queue that is not there, the one it would be created with. */
export function limitOf(target: QueueTarget, view: BrokerView): LimitInForce {
  return resolveLimit({
    queue: target.name,
    type: target.type,
    arguments: view.queue?.arguments ?? argumentsUnderPolicy(target),
    policies: view.policies,
    operatorPolicies: view.operatorPolicies,
  });
}
