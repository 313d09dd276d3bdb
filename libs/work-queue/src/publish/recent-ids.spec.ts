import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Content, RecentIds } from './recent-ids.js';

const PAYLOAD: Content = { body: Buffer.from('{"total":7}') };
const OTHER: Content = { body: Buffer.from('{"total":8}') };

describe('recent ids', () => {
  it('tell a new id from one that was used for the same payload, or for another', () => {
    const ids = new RecentIds(10);
    expect(ids.claim('id-1', PAYLOAD)).toBe('new');
    expect(ids.claim('id-1', { body: Buffer.from(PAYLOAD.body) })).toBe('same');
    expect(ids.claim('id-1', OTHER)).toBe('conflict');
    expect(ids.claim('id-2', OTHER)).toBe('new');
  });

  it('take what a codec puts into headers for a part of the payload', () => {
    const ids = new RecentIds(10);
    ids.claim('id-1', { ...PAYLOAD, headers: { event: 'ping' } });
    expect(ids.claim('id-1', { ...PAYLOAD, headers: { event: 'ping' } })).toBe('same');
    expect(ids.claim('id-1', { ...PAYLOAD, headers: { event: 'push' } })).toBe('conflict');
  });

  it('keep to the first payload after a conflict', () => {
    const ids = new RecentIds(10);
    ids.claim('id-1', PAYLOAD);
    ids.claim('id-1', OTHER);
    expect(ids.claim('id-1', PAYLOAD)).toBe('same');
  });

  it('let an id be used for other content when nothing was stored under it', () => {
    const ids = new RecentIds(10);
    ids.claim('id-1', PAYLOAD);
    ids.forget('id-1');
    expect(ids.claim('id-1', OTHER)).toBe('new');
  });

  it('refuse nothing when they may remember none', () => {
    const ids = new RecentIds(0);
    expect(ids.claim('id-1', PAYLOAD)).toBe('same');
    expect(ids.claim('id-1', OTHER)).toBe('same');
  });

  it('are the newest, as many as may be remembered, whatever was claimed and forgotten', () => {
    const step = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      payload: fc.constantFrom(PAYLOAD, OTHER),
      isForgotten: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step), (capacity, steps) => {
        const ids = new RecentIds(capacity);
        let known: Array<{ id: string; payload: Content }> = [];
        for (const { id, payload, isForgotten } of steps) {
          const first = known.find((entry) => entry.id === id);
          const expected = first?.payload === payload ? 'same' : 'conflict';
          expect(ids.claim(id, payload)).toBe(first ? expected : 'new');
          if (!first) known = [...known, { id, payload }].slice(-capacity);
          if (!isForgotten) continue;
          ids.forget(id);
          known = known.filter((entry) => entry.id !== id);
        }
      }),
    );
  });
});
