import { TopologyError } from '../errors/topology.error.js';
import type { BrokerConnection, QueueArguments } from './broker.port.js';
import { type BrokerView, limitOf, readBrokerView, withPolicies } from './broker-view.js';
import { toTopologyError } from './declare-refused.js';
import type { Management } from './management-api.js';
import { isSamePolicy, policiesOf, type Policy } from './policy.js';
import { argumentsUnderPolicy, deadLetterArguments } from './queue-arguments.js';
import { deadLetterQueueOf, type QueueTarget } from './queue-target.js';
import type { EnsuredQueue, LimitCheck } from './topology-result.js';
import { deadLettersAtRisk, objectionTo, outdatedPolicies } from './topology-objection.js';

export interface PolicyDeps {
  readonly connection: Pick<BrokerConnection, 'declareQueue' | 'inspectQueue'>;
  readonly management: Management;
}

/**
 * Looks, decides, and only then touches: a policy set before the look would drop confirmed messages of a queue
 * that somebody else created. The policies come before the queues they are for, so no queue is ever unbounded.
 *
 * Nothing waits for a policy to take hold. A queue declared after the PUT has it from its first message, and on
 * one that exists none of 900 changes was late for the next publish after the PUT's answer (one node, 3.10.8,
 * 4.0.5, 4.3.6). In a cluster a few publishes may overtake it; each still gets a truthful confirm.
 */
export async function ensureByPolicy(target: QueueTarget, deps: PolicyDeps): Promise<EnsuredQueue> {
  const view = await readBrokerView(target.name, deps.management);
  await refuseIfUnsafe(target, view, deps);
  await putPolicies(outdatedPolicies(target, view, isSamePolicy), deps.management);
  for (const declaration of missingQueues(target, view)) await declare(deps, declaration);
  return { wasCreated: !view.queue, inForce: limitOf(target, withPolicies(view, policiesOf(target))) };
}

export async function verifyByPolicy(target: QueueTarget, management: Management): Promise<LimitCheck> {
  const view = await readBrokerView(target.name, management);
  const inForce = limitOf(target, view);
  const reason = absent(target, view) ?? objectionTo(target, view) ?? drift(target, view);
  return reason === undefined ? { ok: true, inForce } : { ok: false, reason, inForce };
}

/** Sets those of our policies that are gone. One that is there is an operator's choice, whatever it says. */
export async function repairByPolicy(target: QueueTarget, deps: PolicyDeps): Promise<boolean> {
  const view = await readBrokerView(target.name, deps.management);
  const missing = outdatedPolicies(target, view, () => true);
  if (missing.length === 0) return false;
  await refuseIfUnsafe(target, view, deps);
  await putPolicies(missing, deps.management);
  return true;
}

async function refuseIfUnsafe(target: QueueTarget, view: BrokerView, deps: PolicyDeps): Promise<void> {
  refuse(target, objectionTo(target, view));
  if (!view.deadLetterQueue) return;
  const reading = await deps.connection.inspectQueue(deadLetterQueueOf(target.name));
  refuse(target, deadLettersAtRisk(target, view, reading?.readyMessages ?? 0));
}

function refuse(target: QueueTarget, reason: string | undefined): void {
  if (reason === undefined) return;
  throw new TopologyError(`${reason} Nothing was changed on the broker.`, { queue: target.name });
}

async function putPolicies(policies: readonly Policy[], management: Management): Promise<void> {
  for (const policy of policies) await management.putPolicy(policy);
}

/** The dead-letter queue first: nothing may be dead-lettered to a queue that is not there. */
function missingQueues(target: QueueTarget, view: BrokerView): Declaration[] {
  const missing: Declaration[] = [];
  const deadLetterQueue = deadLetterQueueOf(target.name);
  if (!view.deadLetterQueue) missing.push({ name: deadLetterQueue, queueArguments: deadLetterArguments() });
  if (!view.queue) missing.push({ name: target.name, queueArguments: argumentsUnderPolicy(target) });
  return missing;
}

/** Several processes may declare at once: the same arguments are no conflict. */
async function declare({ connection }: PolicyDeps, { name, queueArguments }: Declaration): Promise<void> {
  await connection.declareQueue(name, queueArguments).catch((error: unknown) => {
    throw toTopologyError(name, error, 'Somebody else created it just now: use another name, or delete it.');
  });
}

interface Declaration {
  readonly name: string;
  readonly queueArguments: QueueArguments;
}

function absent(target: QueueTarget, view: BrokerView): string | undefined {
  const missing = missingQueues(target, view).map(({ name }) => `"${name}"`);
  return missing.length === 0 ? undefined : `${missing.join(' and ')} does not exist on the broker.`;
}

function drift(target: QueueTarget, view: BrokerView): string | undefined {
  const [ours] = outdatedPolicies(target, view, isSamePolicy);
  if (!ours) return undefined;
  const there = view.policies.find(({ name }) => name === ours.name);
  if (!there) return `Policy "${ours.name}" is missing, so nothing of ours bounds the queue. Set it again.`;
  return `Policy "${ours.name}" was changed: expected ${contentOf(ours)}, found ${contentOf(there)}.`;
}

function contentOf({ pattern, applyTo, priority, definition }: Policy): string {
  return JSON.stringify({ pattern, 'apply-to': applyTo, priority, definition });
}
