import type { Policy } from './policy.js';
import type { QueueType } from './queue-target.js';

export interface NamedQueue {
  readonly name: string;
  readonly type: QueueType;
}

/** `maybe`: the pattern is PCRE that JavaScript reads differently or not at all, so only the broker knows. */
type Match = 'yes' | 'no' | 'maybe';

/** Whether the broker considers the policy for the queue, as 3.10 to 4.3 decide it. */
export function matchPolicy(policy: Policy, queue: NamedQueue): Match {
  if (!APPLIES_TO[queue.type].has(policy.applyTo)) return 'no';
  if (Object.keys(policy.definition).some((key) => UNKNOWN_KEYS[queue.type].has(key))) return 'no';
  return matchPattern(policy.pattern, queue.name);
}

/** The policies that match or may match, the one the broker picks first. */
export function matchingPolicies(policies: readonly Policy[], queue: NamedQueue): Policy[] {
  return policies.filter((policy) => matchPolicy(policy, queue) !== 'no').sort(byPrecedence);
}

/** Those the broker may apply to the queue: it takes one, and it is known which unless they tie or cannot be read. */
export function applicablePolicies(policies: readonly Policy[], queue: NamedQueue): Policy[] {
  const matching = matchingPolicies(policies, queue);
  const certain = matching.find((policy) => matchPolicy(policy, queue) === 'yes');
  return certain ? matching.filter(({ priority }) => priority >= certain.priority) : matching;
}

/** What the broker does with equal priorities is undefined; 3.10 and 4.0 pick the later name. */
function byPrecedence(left: Policy, right: Policy): number {
  return right.priority - left.priority || (left.name < right.name ? 1 : -1);
}

const APPLIES_TO: Readonly<Record<QueueType, ReadonlySet<string>>> = {
  classic: new Set(['all', 'queues', 'classic_queues']),
  quorum: new Set(['all', 'queues', 'quorum_queues']),
};

/**
 * A policy with any one of these keys is skipped as a whole for that queue type: an `ha-mode` policy over
 * everything leaves quorum queues to the next one. The keys 3.10.8, 4.0.5 and 4.3.6 agree on.
 */
const STREAM_KEYS = ['max-age', 'stream-max-segment-size-bytes', 'initial-cluster-size'];
const UNKNOWN_KEYS: Readonly<Record<QueueType, ReadonlySet<string>>> = {
  classic: new Set([...STREAM_KEYS, 'delivery-limit', 'dead-letter-strategy']),
  quorum: new Set([
    ...STREAM_KEYS,
    'ha-mode',
    'ha-params',
    'ha-sync-mode',
    'ha-promote-on-shutdown',
    'ha-promote-on-failure',
    'queue-master-locator',
    'queue-mode',
    'max-priority',
  ]),
};

function matchPattern(pattern: string, name: string): Match {
  const expression = toRegExp(pattern);
  if (!expression) return 'maybe';
  return expression.test(asBytes(name)) ? 'yes' : 'no';
}

/**
 * The `u` flag refuses what JavaScript would otherwise take for something else than PCRE does (`\A`, `\Q..\E`,
 * `[[:alpha:]]`, `[]a]`). Escaped punctuation means itself in both, but `u` knows it only as a code.
 */
function toRegExp(pattern: string): RegExp | undefined {
  const portable = asBytes(pattern).replace(/\\([^A-Za-z0-9])/g, (_, character: string) => asCode(character));
  try {
    return new RegExp(portable, 'u');
  } catch {
    return undefined;
  }
}

function asCode(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** The broker matches the bytes of the UTF-8 name: there `.` is one byte, not one character. */
function asBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
