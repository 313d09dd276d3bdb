import type { Policy } from './policy.js';
import { matchingPolicies, matchPolicy, type NamedQueue } from './policy-match.js';
import type { QueueType } from './queue-target.js';

/** `reject-publish-dlx` on a quorum queue acts as `drop-head`. */
type Overflow = 'reject-publish' | 'drop-head' | 'reject-publish-dlx';

export interface LimitInForce {
  /** Ready messages the queue may hold; undefined when nothing bounds it. */
  readonly maxLength: number | undefined;
  readonly overflow: Overflow;
  /** Where both come from, for people. */
  readonly decidedBy: string;
}

export interface LimitSources {
  readonly queue: string;
  readonly type: QueueType;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly policies: readonly Policy[];
  /** Undefined when the user may not list them: then a lower cap of theirs goes unseen, and `decidedBy` says so. */
  readonly operatorPolicies: readonly Policy[] | undefined;
}

/**
 * The limit as the broker resolves it: the one user policy and the one operator policy of the highest priority,
 * and the smallest max-length among them and `x-max-length`. On a classic queue `x-overflow` wins over policies,
 * on a quorum queue it is the other way round. A policy that only may match counts as matching.
 *
 * Read from the definitions and not from the `effective_policy_definition` of the queue, which shows a change
 * only after up to 8 s.
 */
export function resolveLimit(sources: LimitSources): LimitInForce {
  const queue = { name: sources.queue, type: sources.type };
  const argument: Source = {
    text: 'queue argument',
    maxLength: sources.arguments['x-max-length'],
    overflow: sources.arguments['x-overflow'],
  };
  const policies = [
    // First, because an operator's overflow (4.x knows one) replaces a user's.
    ...strongest('operator policy', sources.operatorPolicies ?? [], queue),
    ...strongest('policy', sources.policies, queue),
  ];
  const length = smallestMaxLength([...policies, argument]);
  const overflow = firstOverflow(
    sources.type === 'classic' ? [argument, ...policies] : [...policies, argument],
  );
  const unseen = sources.operatorPolicies ? '' : '; operator policies: this user may not see them';
  return {
    maxLength: length.value,
    overflow: overflow.value,
    decidedBy: `max-length: ${length.text}; overflow: ${overflow.text}${unseen}`,
  };
}

/** Policies that take precedence over ours, or tie with it, on the queue ours is for. Policies do not merge. */
export function conflictingPolicies(
  ours: Policy,
  policies: readonly Policy[],
  queue: NamedQueue,
): ConflictingPolicy[] {
  return matchingPolicies(policies, queue)
    .filter((policy) => policy.name !== ours.name && policy.priority >= ours.priority)
    .map((policy) => ({ policy, isCertain: matchPolicy(policy, queue) === 'yes' }));
}

export interface ConflictingPolicy {
  readonly policy: Policy;
  /** False when the pattern is one that only the broker can read. */
  readonly isCertain: boolean;
}

interface Source {
  readonly text: string;
  readonly maxLength: unknown;
  readonly overflow: unknown;
}

/** The one policy of its kind that the broker applies, or none. */
function strongest(kind: string, policies: readonly Policy[], queue: NamedQueue): Source[] {
  const [policy] = matchingPolicies(policies, queue);
  if (!policy) return [];
  const doubt =
    matchPolicy(policy, queue) === 'maybe'
      ? `, pattern ${policy.pattern} cannot be read here and may match`
      : '';
  return [
    {
      text: `${kind} "${policy.name}" (priority ${policy.priority}${doubt})`,
      maxLength: policy.definition['max-length'],
      overflow: policy.definition['overflow'],
    },
  ];
}

function smallestMaxLength(sources: readonly Source[]): { value: number | undefined; text: string } {
  let smallest: { value: number | undefined; text: string } = { value: undefined, text: 'none set' };
  for (const { maxLength, text } of sources) {
    if (typeof maxLength !== 'number' || maxLength >= (smallest.value ?? Infinity)) continue;
    smallest = { value: maxLength, text: `${maxLength} by ${text}` };
  }
  return smallest;
}

function firstOverflow(sources: readonly Source[]): { value: Overflow; text: string } {
  for (const { overflow, text } of sources) {
    if (isOverflow(overflow)) return { value: overflow, text: `${overflow} by ${text}` };
  }
  return { value: 'drop-head', text: 'drop-head by default' };
}

function isOverflow(value: unknown): value is Overflow {
  return value === 'reject-publish' || value === 'drop-head' || value === 'reject-publish-dlx';
}
