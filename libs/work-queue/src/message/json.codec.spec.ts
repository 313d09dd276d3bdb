import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ReceivedMessage } from './codec.js';
import { jsonCodec } from './json.codec.js';

function received(
  body: Uint8Array | string,
  contentType: string | undefined,
  contentEncoding?: string,
): ReceivedMessage {
  return { body: Buffer.from(body), contentType, contentEncoding, messageId: 'id-1', headers: {} };
}

describe('the JSON codec', () => {
  it('brings back whatever JSON can carry', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (payload) => {
        const { body, contentType } = jsonCodec.encode(payload);
        // -0 is the one value that JSON itself changes.
        expect(jsonCodec.decode(received(body, contentType))).toEqual(JSON.parse(JSON.stringify(payload)));
      }),
    );
  });

  it('brings back bytes as they were', () => {
    const { body, contentType } = jsonCodec.encode(Buffer.from([0, 255, 1]));
    expect(jsonCodec.decode(received(body, contentType))).toEqual(Buffer.from([0, 255, 1]));
  });

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON',
    'application/problem+json',
    '',
    undefined,
  ])('reads %p as JSON', (contentType) => {
    expect(jsonCodec.decode(received('{"a":1}', contentType))).toEqual({ a: 1 });
  });

  it.each(['application/octet-stream', 'Application/Octet-Stream; a=b'])(
    'leaves %s as bytes, whatever they look like',
    (contentType) => {
      expect(jsonCodec.decode(received('{"a":1}', contentType))).toEqual(Buffer.from('{"a":1}'));
    },
  );

  it.each(['text/plain', 'application/jsonlines', 'application/xml', 'json', '+json/text'])(
    'refuses %s, and says what it takes and what else can be done',
    (contentType) => {
      expect(() => jsonCodec.decode(received('{"a":1}', contentType))).toThrow(
        `content type ${contentType}: expected application/json, or application/octet-stream for bytes as they are. Give the queue a codec for any other`,
      );
    },
  );

  it.each(['', 'identity', 'utf-8', 'UTF8'])('takes the content encoding %p for none', (contentEncoding) => {
    expect(jsonCodec.decode(received('{"a":1}', 'application/json', contentEncoding))).toEqual({ a: 1 });
  });

  it.each(['gzip', 'br', 'identity, gzip', 'utf-16'])(
    'refuses the content encoding %s, of bytes too, and says what can be done',
    (contentEncoding) => {
      for (const contentType of ['application/json', 'application/octet-stream', undefined]) {
        expect(() => jsonCodec.decode(received('{"a":1}', contentType, contentEncoding))).toThrow(
          `content encoding ${contentEncoding}: expected none. Publish the body as it is, or give the queue a codec that decodes it`,
        );
      }
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
