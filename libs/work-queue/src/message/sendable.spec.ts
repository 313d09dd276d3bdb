import { describe, expect, it } from '@jest/globals';
import { problemOfHeaders, problemOfId } from './sendable.js';

describe('headers', () => {
  it.each([
    ['none', {}],
    ['text, finite numbers, booleans, nothing', { a: 'x', b: -1.5, c: true, d: null, e: undefined }],
    ['bytes, lists and objects of those', { a: Buffer.from('x'), b: [1, 'x', { c: [false] }] }],
    ['names that only look like routing', { cc: 'x', Bcc: 'x' }],
  ])('of %s can be sent', (_what, headers) => {
    expect(problemOfHeaders(headers)).toBeUndefined();
  });

  it.each(['CC', 'BCC'])('that route elsewhere (%s) cannot', (name) => {
    expect(problemOfHeaders({ [name]: ['other'] })).toBe(`header ${name} sends it to other queues as well`);
  });

  it.each([
    ['infinity', Number.POSITIVE_INFINITY],
    ['no number', Number.NaN],
    ['a big integer', 1n],
    ['a function', () => undefined],
    ['a type that is told to the client library', { '!': 'float', value: 'x' }],
    ['any of those further down', [{ deep: [Number.NEGATIVE_INFINITY] }]],
  ])('with %s cannot, and the header is named', (_what, value) => {
    expect(problemOfHeaders({ good: 1, bad: value })).toMatch(/^header "bad": expected text, finite numbers/);
  });
});

describe('a message id', () => {
  it.each(['id-1', 'ü', '😀', ''])('%j can be sent', (id) => {
    expect(problemOfId(id)).toBeUndefined();
  });

  it.each(['x\ud800', '\udfffx', '\ude00\ud83d'])('%j, which would arrive as another, cannot', (id) => {
    expect(problemOfId(id)).toBe('the message id has half a surrogate pair');
  });
});
