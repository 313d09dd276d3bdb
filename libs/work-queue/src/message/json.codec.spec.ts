import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ReceivedMessage } from './codec.js';
import { jsonCodec } from './json.codec.js';

function received(body: string, contentType: string | undefined): ReceivedMessage {
  return { body: Buffer.from(body), contentType, messageId: 'id-1', headers: {} };
}

describe('the JSON codec', () => {
  it('brings back whatever JSON can carry', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (payload) => {
        const { body, contentType } = jsonCodec.encode(payload);
        const message = { body: Buffer.from(body), contentType, messageId: 'id-1', headers: {} };
        // -0 is the one value that JSON itself changes.
        expect(jsonCodec.decode(message)).toEqual(JSON.parse(JSON.stringify(payload)));
      }),
    );
  });

  it('brings back bytes as they were', () => {
    const { body, contentType } = jsonCodec.encode(Buffer.from([0, 255, 1]));
    const message = { body: Buffer.from(body), contentType, messageId: 'id-1', headers: {} };
    expect(jsonCodec.decode(message)).toEqual(Buffer.from([0, 255, 1]));
  });

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON',
    'application/problem+json',
    undefined,
  ])('reads %s as JSON', (contentType) => {
    expect(jsonCodec.decode(received('{"a":1}', contentType))).toEqual({ a: 1 });
  });

  it.each(['application/octet-stream', 'text/plain', 'application/jsonlines'])(
    'leaves %s as bytes',
    (contentType) => {
      expect(jsonCodec.decode(received('{"a":1}', contentType))).toEqual(Buffer.from('{"a":1}'));
    },
  );

  it.each([
    ['undefined', undefined],
    ['function', () => 1],
    ['symbol', Symbol('s')],
  ])('refuses %s', (type, payload) => {
    expect(() => jsonCodec.encode(payload)).toThrow(`expected a payload that JSON can carry, got: ${type}`);
  });

  it('throws on bytes that are not JSON', () => {
    expect(() => jsonCodec.decode(received('{', 'application/json'))).toThrow(SyntaxError);
  });
});
