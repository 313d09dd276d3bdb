import { describe, expect, it } from '@jest/globals';
import { BadRequestException } from '@nestjs/common';
import { readIdempotencyKey } from './idempotency-key.js';

const read = (value: string | string[]): string | undefined =>
  readIdempotencyKey({ 'idempotency-key': value });

describe('an idempotency key', () => {
  it('is undefined when the client gave none', () => {
    expect(readIdempotencyKey({})).toBeUndefined();
  });

  it.each([
    ['8e03978e-40d5-43e8-bc93-6894a57f9324', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
    ['"8e03978e"', '8e03978e'],
    ['order 7/2024', 'order 7/2024'],
    ['"a, b"', 'a, b'],
    [String.raw`"a \"b\" \\c"`, String.raw`a "b" \c`],
    ['x'.repeat(255), 'x'.repeat(255)],
  ])('%j is read as %j', (value, key) => {
    expect(read(value)).toBe(key);
  });

  it.each([
    ['empty', ''],
    ['empty in quotes', '""'],
    ['too long', 'x'.repeat(256)],
    ['too long in quotes', `"${'x'.repeat(256)}"`],
    ['a control character', 'a\tb'],
    ['a control character in quotes', '"a\u0007b"'],
    ['no ASCII', 'schl\u00fcssel'],
    ['an open quote', '"abc'],
    ['more after the quotes', '"abc"; x=1'],
    ['given twice, as Node joins it', 'a, b'],
    ['given twice in quotes', '"a", "b"'],
    ['given twice, as a list', ['a', 'b']],
  ])('that is %s is refused with 400', (_kind, value) => {
    expect(() => read(value)).toThrow(BadRequestException);
  });
});
