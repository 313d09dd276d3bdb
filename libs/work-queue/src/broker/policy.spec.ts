import { isSamePolicy, policiesOf, workQueuePolicy } from './policy.js';
import type { QueueTarget } from './queue-target.js';

const target: QueueTarget = { name: 'orders', type: 'quorum', overflow: 'reject-publish', maxLength: 127 };

describe('the policy of a queue', () => {
  it('carries limit and overflow, and keeps the broker from counting attempts on a quorum queue', () => {
    expect(policiesOf(target)).toEqual([
      {
        queue: 'orders',
        name: 'spillway.orders',
        pattern: '^orders$',
        applyTo: 'queues',
        priority: 100,
        definition: { 'max-length': 127, overflow: 'reject-publish', 'delivery-limit': 1_000_000 },
      },
    ]);
  });

  it('has no key a classic queue does not know, which would switch it off', () => {
    expect(workQueuePolicy({ ...target, type: 'classic' }).definition).toEqual({
      'max-length': 127,
      overflow: 'reject-publish',
    });
  });

  it('has the priority asked for', () => {
    expect(workQueuePolicy({ ...target, policyPriority: 0 }).priority).toBe(0);
  });

  it('is joined by one for the dead letters of a feed, never below a thousand', () => {
    const bounds = [5, 5000].map(
      (maxLength) => policiesOf({ ...target, overflow: 'drop-head', maxLength })[1],
    );
    expect(bounds).toMatchObject([
      {
        name: 'spillway.orders.dead',
        pattern: '^orders\\.dead$',
        definition: { 'max-length': 1000, overflow: 'drop-head' },
      },
      { definition: { 'max-length': 5000 } },
    ]);
  });

  it('is the same one in whatever order its keys come back', () => {
    const ours = workQueuePolicy(target);
    const definition = Object.fromEntries(Object.entries(ours.definition).toReversed());
    expect(isSamePolicy({ ...ours, definition }, ours)).toBe(true);
    expect(isSamePolicy({ ...ours, definition: { ...definition, 'max-length': 128 } }, ours)).toBe(false);
    expect(isSamePolicy({ ...ours, priority: 99 }, ours)).toBe(false);
  });
});
