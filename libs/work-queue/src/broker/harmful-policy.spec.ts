import { describe, expect, it } from '@jest/globals';
import { harmfulPolicies } from './harmful-policy.js';
import type { Policy } from './policy.js';
import { dueArguments, waitArguments } from './queue-arguments.js';

const due = { name: 'orders.due', queueArguments: dueArguments('orders') };
const wait = { name: 'orders.wait.1s', queueArguments: waitArguments('orders', 1000) };

function policy(definition: Policy['definition'], changes: Partial<Policy> = {}): Policy {
  return { name: 'all', pattern: '.*', applyTo: 'queues', priority: 0, definition, ...changes };
}

describe('a policy that matches a retry queue', () => {
  it.each([
    [{ 'max-length': 5 }, ['max-length 5'], ['max-length 5']],
    [{ 'max-length-bytes': 9 }, ['max-length-bytes 9'], ['max-length-bytes 9']],
    [{ expires: 9 }, ['expires 9'], ['expires 9']],
    [{ overflow: 'drop-head' }, ['overflow drop-head'], ['overflow drop-head']],
    [{ overflow: 'reject-publish' }, ['overflow reject-publish'], []],
    [{ 'message-ttl': 999 }, ['message-ttl 999'], ['message-ttl 999']],
    [{ 'message-ttl': 1000 }, ['message-ttl 1000'], []],
    [{ 'delivery-limit': 20 }, ['delivery-limit 20'], ['delivery-limit 20']],
    [{ 'delivery-limit': 1_000_000 }, [], []],
    [{ 'delivery-limit': -1 }, [], []],
    [{ 'dead-letter-exchange': 'dlx', 'dead-letter-routing-key': 'graveyard' }, [], []],
    [{ 'dead-letter-strategy': 'at-most-once', 'queue-leader-locator': 'balanced' }, [], []],
  ])('with %j sets %j against the due queue and %j against a wait queue', (definition, onDue, onWait) => {
    const settings = [due, wait].map((queue) =>
      harmfulPolicies(queue, [policy(definition)]).flatMap((harm) => harm.settings),
    );
    expect(settings).toEqual([onDue, onWait]);
  });

  it('does no harm when quorum queues skip it, or when another takes precedence', () => {
    expect(harmfulPolicies(due, [policy({ 'max-length': 5, 'ha-mode': 'all' })])).toEqual([]);
    const above = policy({ 'queue-leader-locator': 'balanced' }, { name: 'above', priority: 1 });
    expect(harmfulPolicies(due, [policy({ 'max-length': 5 }), above])).toEqual([]);
  });

  it('is not taken for overruled by one that ties with it, or that only may match', () => {
    const harm = policy({ 'max-length': 5 });
    const tie = policy({ 'queue-leader-locator': 'balanced' }, { name: 'zzz' });
    const unread = policy({ 'queue-leader-locator': 'balanced' }, { pattern: '(?i)^ORD', priority: 9 });
    expect(harmfulPolicies(due, [harm, tie])).toHaveLength(1);
    expect(harmfulPolicies(due, [harm, unread])).toMatchObject([{ isCertain: true }]);
    expect(harmfulPolicies(due, [{ ...harm, pattern: '(?i)^ORD' }])).toMatchObject([{ isCertain: false }]);
  });
});
