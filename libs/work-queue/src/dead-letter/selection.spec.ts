import { describe, expect, it } from '@jest/globals';
import { DeadLetterError } from '../errors/dead-letter.error.js';
import { type DeadLetterSelection, Selector } from './selection.js';

const LETTERS = [
  { id: 'a', errorClass: 'TypeError' },
  { id: 'b', errorClass: 'expired' },
  { id: 'a', errorClass: 'expired' },
  { id: undefined, errorClass: 'broker:maxlen' },
];

function select(selection: DeadLetterSelection) {
  const selector = new Selector(selection);
  const chosen = LETTERS.map((letter) => selector.matches(letter));
  return { chosen, matched: selector.matched, notFound: selector.notFound };
}

describe('a selection of dead letters', () => {
  it('by id takes every letter of these ids and tells which ids no letter had', () => {
    expect(select({ ids: ['z', 'a', 'y', 'a'] })).toEqual({
      chosen: [true, false, true, false],
      matched: 2,
      notFound: ['z', 'y'],
    });
  });

  it('by class takes those of that class only', () => {
    expect(select({ errorClass: 'expired' })).toMatchObject({
      chosen: [false, true, true, false],
      matched: 2,
    });
  });

  it('of all takes those without an id, too', () => {
    expect(select({ all: true })).toEqual({ chosen: [true, true, true, true], matched: 4, notFound: [] });
  });

  it.each([
    [{ ids: [] }, 'expected ids to be a list of one or more message ids, got: []'],
    [{ ids: ['a', ''] }, 'expected ids to be a list of one or more message ids, got: ["a",""]'],
    [{ ids: 'a' }, 'expected ids to be a list of one or more message ids, got: "a"'],
    [{ errorClass: '' }, 'expected errorClass to be the name of a class, got: ""'],
    [{ all: false }, 'expected { ids: [...] }, { errorClass: "..." } or { all: true }, got: {"all":false}'],
    [{ everything: true }, 'or { all: true }, got: {"everything":true}'],
    [{ all: true, ids: ['a'] }, 'or { all: true }, got: {"all":true,"ids":["a"]}'],
    [{}, 'or { all: true }, got: {}'],
    [undefined, 'or { all: true }, got: undefined'],
  ])('of %j is refused in words', (selection, message) => {
    // What comes from outside is of no type.
    const make = (): Selector => new Selector(selection as unknown as DeadLetterSelection);
    expect(make).toThrow(DeadLetterError);
    expect(make).toThrow(message);
  });
});
