import fc from 'fast-check';
import { conflictingPolicies, type LimitSources, resolveLimit } from './limit-in-force.js';
import { type Policy, workQueuePolicy } from './policy.js';

function policy(name: string, priority: number, definition: Policy['definition'], pattern = '.*'): Policy {
  return { name, pattern, applyTo: 'queues', priority, definition };
}

function limit(sources: Partial<LimitSources> = {}) {
  return resolveLimit({
    queue: 'orders',
    type: 'quorum',
    arguments: {},
    policies: [],
    operatorPolicies: [],
    ...sources,
  });
}

const REJECT = { 'max-length': 100, overflow: 'reject-publish' };

describe('the max-length in force', () => {
  it('is none when nothing sets one', () => {
    expect(limit()).toEqual({
      maxLength: undefined,
      overflow: 'drop-head',
      decidedBy: 'max-length: none set; overflow: drop-head by default',
    });
  });

  it('is that of the policy with the highest priority alone, even when it sets none', () => {
    const policies = [policy('low', 1, { 'max-length': 10 }), policy('high', 5, { 'message-ttl': 60_000 })];
    expect(limit({ policies }).maxLength).toBeUndefined();
  });

  it('is the smaller of policy and argument, either way', () => {
    const policies = [policy('p', 1, REJECT)];
    expect(limit({ policies, arguments: { 'x-max-length': 20 } }).maxLength).toBe(20);
    expect(limit({ policies, arguments: { 'x-max-length': 200 } }).maxLength).toBe(100);
  });

  it('is capped by an operator policy, which is named', () => {
    const sources = {
      policies: [policy('spillway.orders', 100, REJECT)],
      operatorPolicies: [policy('cap', 0, { 'max-length': 6 })],
    };
    expect(limit(sources)).toEqual({
      maxLength: 6,
      overflow: 'reject-publish',
      decidedBy:
        'max-length: 6 by operator policy "cap" (priority 0); overflow: reject-publish by policy "spillway.orders" (priority 100)',
    });
    expect(limit({ ...sources, operatorPolicies: [policy('cap', 0, { 'max-length': 600 })] }).maxLength).toBe(
      100,
    );
  });

  it('says when operator policies could not be seen', () => {
    expect(limit({ operatorPolicies: undefined }).decidedBy).toMatch(
      'operator policies: this user may not see them',
    );
  });

  it('counts a policy whose pattern only the broker can read as matching, and says so', () => {
    const policies = [policy('legacy', 500, { 'max-length': 3 }, '(?i)^ORDERS$'), policy('p', 100, REJECT)];
    expect(limit({ policies })).toMatchObject({ maxLength: 3 });
    expect(limit({ policies }).decidedBy).toMatch(
      'policy "legacy" (priority 500, pattern (?i)^ORDERS$ cannot be read here',
    );
  });
});

describe('the overflow in force', () => {
  const policies = [policy('p', 1, { 'max-length': 5, overflow: 'reject-publish' })];

  it('is the argument before the policy on a classic queue', () => {
    expect(limit({ type: 'classic', policies, arguments: { 'x-overflow': 'drop-head' } }).overflow).toBe(
      'drop-head',
    );
  });

  it('is the policy before the argument on a quorum queue', () => {
    expect(limit({ type: 'quorum', policies, arguments: { 'x-overflow': 'drop-head' } }).overflow).toBe(
      'reject-publish',
    );
  });

  it('is the argument on both when no policy says otherwise', () => {
    for (const type of ['classic', 'quorum'] as const) {
      expect(limit({ type, arguments: { 'x-overflow': 'reject-publish' } }).overflow).toBe('reject-publish');
    }
  });

  it('is that of an operator policy before that of a user policy', () => {
    const operatorPolicies = [policy('op', 1, { overflow: 'drop-head' })];
    expect(
      limit({ policies, operatorPolicies, arguments: { 'x-overflow': 'reject-publish' } }).overflow,
    ).toBe('drop-head');
    expect(limit({ type: 'classic', policies, operatorPolicies }).overflow).toBe('drop-head');
  });
});

describe('for any policies', () => {
  const definition = fc.record({ 'max-length': fc.nat(50), 'message-ttl': fc.nat() }, { requiredKeys: [] });
  const anyPolicy = fc.record({
    name: fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 3 }),
    pattern: fc.constantFrom('.*', '^orders$', '^other$', '(?i)x'),
    applyTo: fc.constantFrom('all', 'queues', 'classic_queues', 'quorum_queues', 'exchanges'),
    priority: fc.nat(3),
    definition,
  });
  const anyPolicies = fc.uniqueArray(anyPolicy, { selector: ({ name }) => name, maxLength: 6 });

  it('the order in which the broker lists them makes no difference', () => {
    fc.assert(
      fc.property(anyPolicies, anyPolicies, (policies, operatorPolicies) => {
        const reversed = { policies: policies.toReversed(), operatorPolicies: operatorPolicies.toReversed() };
        expect(limit(reversed)).toEqual(limit({ policies, operatorPolicies }));
      }),
    );
  });

  it('an operator policy or an argument can only make the limit smaller', () => {
    fc.assert(
      fc.property(anyPolicies, anyPolicies, fc.nat(50), (policies, operatorPolicies, argument) => {
        const open = limit({ policies }).maxLength ?? Infinity;
        const capped = limit({
          policies,
          operatorPolicies,
          arguments: { 'x-max-length': argument },
        }).maxLength;
        expect(capped).toBeLessThanOrEqual(Math.min(open, argument));
      }),
    );
  });

  it('ours decides exactly when no policy conflicts with it', () => {
    const ours = {
      ...workQueuePolicy({ name: 'orders', type: 'quorum', overflow: 'reject-publish', maxLength: 77 }),
      priority: 2,
    };
    fc.assert(
      fc.property(anyPolicies, (policies) => {
        const isClear = conflictingPolicies(ours, policies, { name: 'orders', type: 'quorum' }).length === 0;
        fc.pre(isClear || policies.every(({ priority }) => priority !== ours.priority));
        expect(limit({ policies: [...policies, ours] }).maxLength === 77).toBe(isClear);
      }),
    );
  });
});

describe('conflicting policies', () => {
  const ours = workQueuePolicy({ name: 'orders', type: 'quorum', overflow: 'reject-publish', maxLength: 10 });
  const conflicts = (...policies: Policy[]) =>
    conflictingPolicies(ours, policies, { name: 'orders', type: 'quorum' }).map(
      ({ policy: { name }, isCertain }) => [name, isCertain],
    );

  it('are those of the same or a higher priority that match, not our own', () => {
    expect(
      conflicts(ours, policy('same', 100, {}), policy('above', 101, {}), policy('below', 99, {})),
    ).toEqual([
      ['above', true],
      ['same', true],
    ]);
  });

  it('are not those that match other queues or not this type', () => {
    expect(
      conflicts(policy('other', 200, {}, '^mails$'), policy('ha-all', 200, { 'ha-mode': 'all' })),
    ).toEqual([]);
  });

  it('are also those that only may match', () => {
    expect(conflicts(policy('legacy', 200, {}, '(?i)^ORDERS$'))).toEqual([['legacy', false]]);
  });
});
