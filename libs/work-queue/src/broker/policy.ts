import type { QueueTarget } from './queue-target.js';
import { deadLetterQueueOf } from './queue-target.js';

/** A policy or operator policy as the management API shows it. `applyTo` is its `apply-to`. */
export interface Policy {
  readonly name: string;
  readonly pattern: string;
  readonly applyTo: string;
  readonly priority: number;
  readonly definition: Readonly<Record<string, unknown>>;
}

/** One of ours: for exactly one queue. */
export interface QueuePolicy extends Policy {
  readonly queue: string;
}

const DEFAULT_PRIORITY = 100;

/** 4.x discards after 20 deliveries by default, -1 is poison on 3.10; attempts are counted in our own header. */
export const UNREACHED_DELIVERY_LIMIT = 1_000_000;

/** Dead letters kept for a feed at the least, so that a short queue still leaves something to look at. */
const MIN_DEAD_LETTERS = 1000;

/** The policy that carries the queue's limit. */
export function workQueuePolicy(target: QueueTarget): QueuePolicy {
  const bound = { 'max-length': target.maxLength, overflow: target.overflow };
  // A key the queue type does not know makes the broker skip the whole policy.
  const definition =
    target.type === 'quorum' ? { ...bound, 'delivery-limit': UNREACHED_DELIVERY_LIMIT } : bound;
  return policyFor(target.name, target, definition);
}

/** Every policy of this queue: its limit, and for a feed the bound of its dead letters. */
export function policiesOf(target: QueueTarget): QueuePolicy[] {
  const limit = workQueuePolicy(target);
  return target.overflow === 'drop-head' ? [limit, deadLetterPolicy(target)] : [limit];
}

/** Every head a feed drops is dead-lettered, so without a bound of its own that queue would grow for ever. */
function deadLetterPolicy(target: QueueTarget): QueuePolicy {
  const definition = { 'max-length': deadLetterBound(target), overflow: 'drop-head' };
  return policyFor(deadLetterQueueOf(target.name), target, definition);
}

export function deadLetterBound(target: QueueTarget): number {
  return Math.max(MIN_DEAD_LETTERS, target.maxLength);
}

export function isSamePolicy(left: Policy, right: Policy): boolean {
  return asText(left) === asText(right);
}

function policyFor(queue: string, target: QueueTarget, definition: Policy['definition']): QueuePolicy {
  return {
    queue,
    name: `spillway.${queue}`,
    // Unanchored it would bound the dead-letter queue, and every queue named after this one, too.
    pattern: `^${escapePattern(queue)}$`,
    // 3.10 refuses the finer classic_queues and quorum_queues.
    applyTo: 'queues',
    priority: target.policyPriority ?? DEFAULT_PRIORITY,
    definition,
  };
}

function escapePattern(queue: string): string {
  return queue.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** The broker does not keep the order of keys. */
function asText(policy: Policy): string {
  const definition = Object.entries(policy.definition).sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([policy.name, policy.pattern, policy.applyTo, policy.priority, definition]);
}
