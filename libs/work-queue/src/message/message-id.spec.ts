import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MessageIds, messageIdOf } from './message-id.js';

const INVOICE = { route: 'POST /invoices', client: 'alice', key: 'k-1' };

describe('a message id', () => {
  it('is the same for the same work, in every process and version', () => {
    expect(messageIdOf(INVOICE)).toBe('oymnB1xIVQL1flvvy3TIt7');
    expect(messageIdOf({ ...INVOICE })).toBe(messageIdOf(INVOICE));
  });

  it.each([{ route: 'POST /refunds' }, { client: 'bob' }, { key: 'k-2' }])(
    'is another one with %j',
    (other) => {
      expect(messageIdOf({ ...INVOICE, ...other })).not.toBe(messageIdOf(INVOICE));
    },
  );

  it('tells apart any two identities, however their parts run into each other', () => {
    const part = fc.string({ unit: fc.constantFrom('a', '"', ',', '\\', '\ud800', '\n') });
    const identity = fc.record({ route: part, client: part, key: part });
    fc.assert(
      fc.property(identity, identity, (one, other) => {
        const areSame = one.route === other.route && one.client === other.client && one.key === other.key;
        expect(messageIdOf(one) === messageIdOf(other)).toBe(areSame);
      }),
    );
  });

  it('can stand in a header and an address as it is', () => {
    fc.assert(
      fc.property(fc.string(), (key) => {
        expect(messageIdOf({ ...INVOICE, key })).toMatch(/^[\w-]{22}$/);
      }),
    );
  });
});

describe('random message ids', () => {
  it('are 22 characters that are safe anywhere, and each is another, also when their pool is used up', () => {
    const ids = new MessageIds();
    const made = Array.from({ length: 1_000 }, () => ids.next());
    expect(made.filter((id) => !/^[\w-]{22}$/.test(id))).toEqual([]);
    expect(new Set(made).size).toBe(1_000);
  });
});
