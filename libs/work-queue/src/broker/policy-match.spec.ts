import fc from 'fast-check';
import { matchingPolicies, matchPolicy } from './policy-match.js';
import { type Policy, workQueuePolicy } from './policy.js';
import type { QueueType } from './queue-target.js';

function policy(changes: Partial<Policy> = {}): Policy {
  return {
    name: 'p',
    pattern: '.*',
    applyTo: 'all',
    priority: 0,
    definition: { 'max-length': 5 },
    ...changes,
  };
}

const orders = { name: 'orders', type: 'quorum' } as const;

describe('what a policy applies to', () => {
  it.each<[string, QueueType, string]>([
    ['all', 'quorum', 'yes'],
    ['queues', 'quorum', 'yes'],
    ['quorum_queues', 'quorum', 'yes'],
    ['classic_queues', 'quorum', 'no'],
    ['streams', 'quorum', 'no'],
    ['exchanges', 'quorum', 'no'],
    ['all', 'classic', 'yes'],
    ['queues', 'classic', 'yes'],
    ['classic_queues', 'classic', 'yes'],
    ['quorum_queues', 'classic', 'no'],
  ])('apply-to %s on a %s queue: %s', (applyTo, type, match) => {
    expect(matchPolicy(policy({ applyTo }), { name: 'orders', type })).toBe(match);
  });

  it('is nothing of a type that does not know one of its keys', () => {
    const mirrored = policy({ definition: { 'ha-mode': 'all', 'max-length': 2 } });
    expect(matchPolicy(mirrored, orders)).toBe('no');
    expect(matchPolicy(mirrored, { name: 'orders', type: 'classic' })).toBe('yes');
    const limited = policy({ definition: { 'delivery-limit': 5 } });
    expect(matchPolicy(limited, orders)).toBe('yes');
    expect(matchPolicy(limited, { name: 'orders', type: 'classic' })).toBe('no');
  });
});

describe('a pattern', () => {
  it.each([
    ['^orders$', 'orders', 'yes'],
    ['^orders$', 'orders.dead', 'no'],
    ['order', 'my-orders', 'yes'],
    ['^(orders|mails)\\.dead$', 'mails.dead', 'yes'],
    ['^a\\-b\\_c$', 'a-b_c', 'yes'],
    ['^[a\\-z]$', 'q', 'no'],
    ['^.{6}$', 'grün', 'no'],
    ['^.{5}$', 'grün', 'yes'],
    ['^gr\u00fcn$', 'grün', 'yes'],
  ])('%s and the name %s: %s', (pattern, name, match) => {
    expect(matchPolicy(policy({ pattern }), { name, type: 'quorum' })).toBe(match);
  });

  it.each([
    '(?i)^orders$',
    '^orders\\z',
    '\\Aorders',
    '^\\Qorders\\E$',
    '^[[:alpha:]]+$',
    '^[[:alpha:]_-]+$',
    '^[]o]rders$',
    '^o++rders$',
    '^(?>orders)$',
    '^\\x{6f}rders$',
    '(*UTF8)^orders$',
  ])('%s is PCRE that only the broker can read, so it may match', (pattern) => {
    expect(matchPolicy(policy({ pattern }), orders)).toBe('maybe');
  });

  it('of ours matches its queue and no other, whatever the names', () => {
    const names = fc.string({
      unit: fc.constantFrom(...'a b . * + ? ( ) [ ] { } | ^ $ \\ - / # ü'.split(' '), ' '),
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(names, names, (name, other) => {
        const ours = workQueuePolicy({ name, type: 'quorum', overflow: 'reject-publish', maxLength: 1 });
        expect(matchPolicy(ours, { name, type: 'quorum' })).toBe('yes');
        expect(matchPolicy(ours, { name: other, type: 'quorum' })).toBe(other === name ? 'yes' : 'no');
      }),
    );
  });
});

describe('the matching policies', () => {
  it('come in the order in which the broker prefers them', () => {
    const listed = [
      policy({ name: 'a', priority: 1 }),
      policy({ name: 'b', priority: 7 }),
      policy({ name: 'c', priority: 1 }),
    ];
    expect(matchingPolicies(listed, orders).map(({ name }) => name)).toEqual(['b', 'c', 'a']);
  });
});
