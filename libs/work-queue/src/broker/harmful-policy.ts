import type { ConflictingPolicy } from './limit-in-force.js';
import { type Policy, UNREACHED_DELIVERY_LIMIT } from './policy.js';
import { applicablePolicies, matchPolicy } from './policy-match.js';
import type { QueueArguments } from './broker.port.js';

/** A quorum queue whose arguments say all there is to say about it. */
export interface SelfContainedQueue {
  readonly name: string;
  readonly queueArguments: QueueArguments;
}

export interface HarmfulPolicy extends ConflictingPolicy {
  readonly queue: string;
  /** `max-length 5`, `message-ttl 1000` */
  readonly settings: readonly string[];
}

/** The policies that would change what the queue is for; those that cannot, such as `ha-mode`, are not among them. */
export function harmfulPolicies(queue: SelfContainedQueue, policies: readonly Policy[]): HarmfulPolicy[] {
  const named = { name: queue.name, type: 'quorum' } as const;
  return applicablePolicies(policies, named).flatMap((policy) => {
    const settings = Object.entries(policy.definition)
      .filter(([key, value]) => HARMS[key]?.(value, queue.queueArguments))
      .map(([key, value]) => `${key} ${String(value)}`);
    if (settings.length === 0) return [];
    return [{ policy, isCertain: matchPolicy(policy, named) === 'yes', queue: queue.name, settings }];
  });
}

type DoesHarm = (value: unknown, queueArguments: QueueArguments) => boolean;

/**
 * Per key of a policy whether it harms, as 3.10.8, 4.0.5 and 4.3.6 decide between it and the queue's argument.
 * `dead-letter-exchange`, `-routing-key` and `-strategy` are not here: the argument wins, and ours has them.
 */
const HARMS: Readonly<Record<string, DoesHarm>> = {
  // Nobody reads a refusal between two queues: what does not fit is dropped, or stuck for minutes.
  'max-length': () => true,
  'max-length-bytes': () => true,
  // Deletes a queue that nobody uses for a while, with all it holds.
  expires: () => true,
  // The policy wins; anything but refusing turns dead-lettering into at most once, without a word.
  overflow: (value, queueArguments) => value !== queueArguments['x-overflow'],
  // The smaller wins.
  'message-ttl': (value, queueArguments) => isBelow(value, queueArguments['x-message-ttl'] ?? Infinity),
  // The smaller wins, too; a negative one is nothing to 4.x and refused by 3.10.
  'delivery-limit': (value) => isBelow(value, UNREACHED_DELIVERY_LIMIT) && !isBelow(value, 0),
};

function isBelow(value: unknown, bound: unknown): boolean {
  return typeof value === 'number' && typeof bound === 'number' && value < bound;
}
