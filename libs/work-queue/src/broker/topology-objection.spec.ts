import type { BrokerView } from './broker-view.js';
import type { Policy } from './policy.js';
import type { QueueTarget } from './queue-target.js';
import { objectionTo } from './topology-objection.js';

const target: QueueTarget = { name: 'orders', type: 'quorum', overflow: 'reject-publish', maxLength: 127 };
const empty: BrokerView = {
  queue: undefined,
  deadLetterQueue: undefined,
  policies: [],
  operatorPolicies: [],
};

function policy(changes: Partial<Policy>): Policy {
  return {
    name: 'p',
    pattern: '.*',
    applyTo: 'all',
    priority: 0,
    definition: { 'max-length': 5 },
    ...changes,
  };
}

describe('an objection to setting the limit', () => {
  it('is not raised on an empty broker, nor when operator policies are not to be seen', () => {
    expect(objectionTo(target, empty)).toBeUndefined();
    expect(objectionTo(target, { ...empty, operatorPolicies: undefined })).toBeUndefined();
  });

  it('is raised when an operator policy would turn refusing into dropping, on a quorum queue', () => {
    const operatorPolicies = [policy({ name: 'op', definition: { overflow: 'drop-head' } })];
    const objection = objectionTo(target, { ...empty, operatorPolicies });
    expect(objection).toMatch('would have overflow drop-head, expected reject-publish');
    expect(objection).toMatch('drop-head by operator policy "op"');
    // The argument wins there.
    expect(objectionTo({ ...target, type: 'classic' }, { ...empty, operatorPolicies })).toBeUndefined();
  });

  it('is raised when a policy above ours only may match, and says that it is in doubt', () => {
    const policies = [policy({ name: 'legacy', priority: 300, pattern: '(?i)^ORD' })];
    expect(objectionTo(target, { ...empty, policies })).toMatch(
      /policy "legacy" \(priority 300, pattern \(\?i\)\^ORD, which may match: only the broker can read it\)/,
    );
  });

  it('names every policy in the way, and what to do', () => {
    const policies = [policy({ name: 'one', priority: 150 }), policy({ name: 'two', priority: 300 })];
    const objection = objectionTo(target, { ...empty, policies });
    expect(objection).toMatch(/policy "two" .* and policy "one" .*lower its priority below 100/);
  });

  it('is not raised over a mirroring policy, which quorum queues ignore', () => {
    const policies = [policy({ name: 'ha-all', priority: 300, definition: { 'ha-mode': 'all' } })];
    expect(objectionTo(target, { ...empty, policies })).toBeUndefined();
  });
});
