import { ConfigurationError } from '../errors/configuration.error.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { BrokerConnection } from './broker.port.js';
import type { Management } from './management-api.js';
import type { QueueTarget } from './queue-target.js';
import { ensureByArguments, verifyByArguments } from './topology-by-arguments.js';
import type { EnsuredQueue, LimitCheck } from './topology-result.js';
import { ensureByPolicy, type PolicyDeps, repairByPolicy, verifyByPolicy } from './topology-by-policy.js';

export type { QueueTarget };

/** `policy`: the limit can be changed while the queue lives. `arguments`: it is fixed when the queue is created. */
type LimitsBy = 'policy' | 'arguments';

export interface TopologyDeps {
  readonly connection: Pick<BrokerConnection, 'declareQueue' | 'inspectQueue'>;
  /** Required for limits by policy. */
  readonly management: Management | undefined;
  readonly limits: LimitsBy;
  readonly telemetry?: Telemetry;
}

/**
 * Makes the broker hold the target's queue, its dead-letter queue and its limit, or says why it cannot.
 * Doing it again changes nothing, and any number of processes may do it at once.
 * @throws TopologyError when something on the broker contradicts the target; then nothing was changed there
 * @throws ManagementError when the management API cannot be used
 */
export async function ensureQueue(target: QueueTarget, deps: TopologyDeps): Promise<EnsuredQueue> {
  const byPolicy = policyDeps(deps);
  const ensured = await (byPolicy
    ? ensureByPolicy(target, byPolicy)
    : ensureByArguments(target, deps.connection));
  deps.telemetry?.emit('queue.ready', {
    queue: target.name,
    wasCreated: ensured.wasCreated,
    maxLength: ensured.inForce.maxLength ?? target.maxLength,
    explanation: ensured.inForce.decidedBy,
  });
  return ensured;
}

/**
 * Whether the broker still holds the limit of the target, read anew; changes nothing. A smaller limit by operator
 * policy is fine, and shows in `inForce`.
 * @throws ManagementError when the management API cannot be used
 */
export async function verifyLimit(target: QueueTarget, deps: TopologyDeps): Promise<LimitCheck> {
  const byPolicy = policyDeps(deps);
  return byPolicy ? verifyByPolicy(target, byPolicy.management) : verifyByArguments(target, deps.connection);
}

/**
 * Sets our policies again where they are gone, after the same look as at start; false when there was nothing to do,
 * as always with limits by arguments.
 * @throws TopologyError, ManagementError as `ensureQueue`
 */
export async function repairPolicy(target: QueueTarget, deps: TopologyDeps): Promise<boolean> {
  const byPolicy = policyDeps(deps);
  return byPolicy ? repairByPolicy(target, byPolicy) : false;
}

function policyDeps({ limits, management, connection }: TopologyDeps): PolicyDeps | undefined {
  if (limits === 'arguments') return undefined;
  if (management) return { management, connection };
  throw new ConfigurationError(
    'Limits by policy need the management API, and no management URL is set. Set one (http://user:password@host:15672), ' +
      'or choose limits: arguments, with which a limit cannot be changed while its queue lives.',
  );
}
