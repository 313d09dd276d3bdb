import { type BrokerView, limitOf, withPolicies } from './broker-view.js';
import { type ConflictingPolicy, conflictingPolicies } from './limit-in-force.js';
import { deadLetterBound, policiesOf, type Policy, type QueuePolicy } from './policy.js';
import type { NamedQueue } from './policy-match.js';
import { type Difference, differences, workQueueUnderPolicy } from './queue-arguments.js';
import { deadLetterQueueOf, type QueueTarget } from './queue-target.js';

/** Why setting the target's policies would be wrong or without effect, and what to do; undefined when it is fine. */
export function objectionTo(target: QueueTarget, view: BrokerView): string | undefined {
  return differentQueue(target, view) ?? overruled(target, view) ?? otherOverflow(target, view);
}

/** Policies of ours that the broker does not have, or has with other content. */
export function outdatedPolicies(target: QueueTarget, view: BrokerView, isCurrent: IsCurrent): QueuePolicy[] {
  return policiesOf(target).filter((ours) => {
    const there = view.policies.find(({ name }) => name === ours.name);
    return !there || !isCurrent(there, ours);
  });
}

type IsCurrent = (there: Policy, ours: Policy) => boolean;

/** A first bound on a dead-letter queue drops at once what exceeds it; nobody agreed to lose those. */
export function deadLettersAtRisk(
  target: QueueTarget,
  view: BrokerView,
  readyMessages: number,
): string | undefined {
  const queue = deadLetterQueueOf(target.name);
  const bound = deadLetterBound(target);
  const isFirstBound = outdatedPolicies(target, view, () => true).some((policy) => policy.queue === queue);
  if (!isFirstBound || readyMessages <= bound) return undefined;
  return (
    `Dead-letter queue "${queue}" holds ${readyMessages} messages; as that of a drop-head queue it gets a limit of ` +
    `${bound}, which would drop the oldest of them. Redrive or purge them first.`
  );
}

function differentQueue(target: QueueTarget, view: BrokerView): string | undefined {
  const found = view.queue ? differences(view.queue, workQueueUnderPolicy(target)) : [];
  if (found.length === 0) return undefined;
  return (
    `Queue "${target.name}" exists with other settings than the QoS file asks for: ${found.map(describeDifference).join('; ')}. ` +
    'They are fixed at creation: drain and delete the queue, use another name, or change the QoS file.'
  );
}

export function describeDifference({ setting, expected, found }: Difference): string {
  return `${setting}: expected ${JSON.stringify(expected) ?? 'none'}, found ${JSON.stringify(found) ?? 'none'}`;
}

function overruled(target: QueueTarget, view: BrokerView): string | undefined {
  for (const ours of policiesOf(target)) {
    const [conflict, ...more] = conflictingPolicies(ours, view.policies, queueOf(ours, target, view));
    if (conflict) return overruledBy(ours, [conflict, ...more]);
  }
  return undefined;
}

/** A dead-letter queue that is there is left as it is, whatever its type. */
function queueOf({ queue }: QueuePolicy, target: QueueTarget, view: BrokerView): NamedQueue {
  if (queue === target.name) return { name: queue, type: target.type };
  return { name: queue, type: view.deadLetterQueue?.type === 'classic' ? 'classic' : 'quorum' };
}

function overruledBy(ours: QueuePolicy, conflicts: readonly ConflictingPolicy[]): string {
  return (
    `RabbitMQ applies one policy to a queue and merges none. "${ours.queue}" is also matched by ` +
    `${conflicts.map(describeMatch).join(' and ')}, so "${ours.name}" (priority ${ours.priority}) would not ` +
    `surely be the one. Narrow the pattern of the other or lower its priority below ${ours.priority}.`
  );
}

export function describeMatch({ policy, isCertain }: ConflictingPolicy): string {
  const doubt = isCertain ? '' : ', which may match: only the broker can read it';
  return `policy "${policy.name}" (priority ${policy.priority}, pattern ${policy.pattern}${doubt})`;
}

/** An operator policy may set overflow from 3.12 on. */
function otherOverflow(target: QueueTarget, view: BrokerView): string | undefined {
  const planned = limitOf(target, withPolicies(view, policiesOf(target)));
  if (planned.overflow === target.overflow) return undefined;
  return (
    `Queue "${target.name}" would have overflow ${planned.overflow}, expected ${target.overflow} ` +
    `(${planned.decidedBy}). Take overflow out of that policy, or change the QoS file.`
  );
}
