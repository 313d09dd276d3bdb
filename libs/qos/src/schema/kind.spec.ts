import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { choice, duration, integer, number, rate, type Kind } from './kind.js';

describe('a value written as in a file', () => {
  const amount = fc.integer({ min: 1, max: 1_000_000 });

  it('is read back as what it was', () => {
    fc.assert(
      fc.property(amount, (count) => {
        expect(reread(duration({ min: 0, max: 1e9 }), count / 10)).toBe(count / 10);
        expect(reread(rate(), count)).toBe(count);
        expect(rereadNumber(integer({ min: 1, max: 1e9 }), count)).toBe(count);
        expect(rereadNumber(number({ min: 0, max: 1e9 }), count / 100)).toBe(count / 100);
      }),
    );
    expect(reread(choice({ values: ['no', 'hold'] }), 'hold')).toBe('hold');
  });
});

function reread<T>(kind: Kind<T>, value: T): unknown {
  return decoded(kind, kind.format(value));
}

/** A file has numbers that are no strings. */
function rereadNumber(kind: Kind<number>, value: number): unknown {
  return decoded(kind, Number(kind.format(value)));
}

function decoded<T>(kind: Kind<T>, raw: unknown): unknown {
  const result = kind.decode(raw);
  return result.isDecoded ? result.value : result;
}
