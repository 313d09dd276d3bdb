import { harmfulPolicies, type SelfContainedQueue } from './harmful-policy.js';
import type { Policy } from './policy.js';
import { differences, type QueueDescription } from './queue-arguments.js';
import { describeDifference, describeMatch } from './topology-objection.js';

/** What the broker holds that decides about the retry queues, read at one moment. */
export interface RetryView {
  /** As they are on the broker, by name; those that are not there are missing here too. */
  readonly found: ReadonlyMap<string, QueueDescription>;
  readonly policies: readonly Policy[];
  /** Undefined when this user may not list them: then what they do goes unseen. */
  readonly operatorPolicies: readonly Policy[] | undefined;
}

/** Why work would not be safe in these queues, and what to do; undefined when it is. */
export function objectionToRetries(
  queues: readonly SelfContainedQueue[],
  view: RetryView,
): string | undefined {
  return (
    differentQueue(queues, view) ??
    harmed('policy', queues, view.policies) ??
    harmed('operator policy', queues, view.operatorPolicies ?? [])
  );
}

/** Arguments that the broker, too, would refuse to declare ours over. */
const REFUSED = [
  'x-max-length',
  'x-max-length-bytes',
  'x-message-ttl',
  'x-expires',
  'x-overflow',
  'x-dead-letter-strategy',
  'x-single-active-consumer',
];

function differentQueue(queues: readonly SelfContainedQueue[], view: RetryView): string | undefined {
  for (const { name, queueArguments } of queues) {
    const found = view.found.get(name);
    const different = found ? differences(found, { queueArguments, refused: REFUSED }) : [];
    if (different.length === 0) continue;
    return (
      `Queue "${name}" exists with other settings than retries need: ` +
      `${different.map(describeDifference).join('; ')}. They are fixed at creation: drain and delete the queue, ` +
      'it will be made anew.'
    );
  }
  return undefined;
}

/** Names one policy, and one queue for all: a pattern that is too wide matches most of them. */
function harmed(
  kind: 'policy' | 'operator policy',
  queues: readonly SelfContainedQueue[],
  policies: readonly Policy[],
): string | undefined {
  const [harm, ...more] = queues.flatMap((queue) => harmfulPolicies(queue, policies));
  if (!harm) return undefined;
  const others = more.filter(({ policy }) => policy.name === harm.policy.name).length;
  const match = kind === 'policy' ? describeMatch(harm) : `operator ${describeMatch(harm)}`;
  return (
    `RabbitMQ applies ${match} with ${harm.settings.join(' and ')} to "${harm.queue}"` +
    `${others === 0 ? '' : ` and ${others} more`}, where accepted work waits for its next attempt: it would be lost, ` +
    'dead-lettered or due too soon. Narrow its pattern so that it matches none of them.'
  );
}
