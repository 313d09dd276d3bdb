import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jsonNesting } from './json-nesting.js';

it.each([
  ['1', 0],
  ['"[[["', 0],
  ['[]', 1],
  ['{"a":[1,{"b":2}]}', 3],
  ['[[],[[]],[]]', 3],
  ['["\\"[[[", "\\\\", []]', 2],
  ['{"[[": "]]"}', 1],
  ['"never closed [', 0],
  ['', 0],
])('%s has %d levels', (text, levels) => {
  expect(jsonNesting(text)).toBe(levels);
});

it('a million levels need no stack', () => {
  expect(jsonNesting('['.repeat(1_000_000))).toBe(1_000_000);
});

it('agrees with the parsed value for any JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
      expect(jsonNesting(JSON.stringify(value, null, indent))).toBe(levelsOf(value));
    }),
  );
});

function levelsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(levelsOf));
}
