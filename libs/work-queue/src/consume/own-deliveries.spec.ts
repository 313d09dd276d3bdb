import { describe, expect, it } from '@jest/globals';
import { OwnDeliveries } from './own-deliveries.js';

const CAPACITY = 10_000;

describe('the deliveries a process let go of', () => {
  it('are known when they come again, each once', () => {
    const own = new OwnDeliveries();
    own.add('work', 'a');
    own.add('work', 'b');
    expect([
      own.take('work', 'b'),
      own.take('work', 'a'),
      own.take('work', 'a'),
      own.take('work', 'c'),
    ]).toEqual([true, true, false, false]);
  });

  it('are never known without an id', () => {
    const own = new OwnDeliveries();
    own.add('work', undefined);
    expect(own.take('work', undefined)).toBe(false);
  });

  it('are as many as there is room for: the oldest is forgotten first', () => {
    const own = new OwnDeliveries();
    for (let i = 0; i <= CAPACITY; i++) own.add('work', `id-${i}`);
    expect(['id-0', 'id-1', `id-${CAPACITY}`].map((id) => own.take('work', id))).toEqual([false, true, true]);
  });

  it('are known by lane: a copy in the due queue has the id of its original', () => {
    const own = new OwnDeliveries();
    own.add('work', 'a');
    expect([own.take('due', 'a'), own.take('work', 'a')]).toEqual([false, true]);
  });

  it('take no room twice', () => {
    const own = new OwnDeliveries();
    for (let i = 0; i < CAPACITY; i++) own.add('work', `id-${i}`);
    own.add('work', 'id-5');
    expect(own.take('work', 'id-0')).toBe(true);
  });
});
