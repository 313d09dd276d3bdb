import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FrontendReader, type FrontendUnit } from './frontend-reader.js';

function message(type: string, content = ''): Buffer {
  const header = Buffer.alloc(type.length + 4);
  header.write(type, 'latin1');
  header.writeInt32BE(4 + content.length, type.length);
  return Buffer.concat([header, Buffer.from(content, 'latin1')]);
}

/** A message of before the startup: no type, and a code where others have their content. */
function opening(code: number, content = ''): Buffer {
  const codeBytes = Buffer.alloc(4);
  codeBytes.writeInt32BE(code);
  return message('', codeBytes.toString('latin1') + content);
}

const SSL_REQUEST = opening(80_877_103);
const CANCEL_REQUEST = opening(80_877_102, 'pid+secr');
const STARTUP = opening(0x0003_0000, 'user\0postgres\0\0');

function readAll(...chunks: Buffer[]): FrontendUnit[] {
  const reader = new FrontendReader();
  return chunks.flatMap((chunk) => [...reader.read(chunk)]);
}

describe('FrontendReader', () => {
  const query = message('Q', 'select 1\0');
  const extended = [message('P', '\0select $1\0'), message('B'), message('D'), message('E'), message('S')];
  const conversation = Buffer.concat([SSL_REQUEST, STARTUP, query, ...extended, query, message('X')]);
  const units: FrontendUnit[] = [
    { kind: 'encryption-request' },
    { kind: 'startup' },
    { kind: 'statement', bytes: query },
    { kind: 'statement', bytes: Buffer.concat(extended) },
    { kind: 'statement', bytes: query },
    { kind: 'goodbye' },
  ];

  it('keeps what is answered as one together', () => {
    expect(readAll(conversation)).toEqual(units);
  });

  it('reads the same however the network cuts it', () => {
    const cuts = fc.array(fc.integer({ min: 0, max: conversation.length }));
    fc.assert(
      fc.property(cuts, (positions) => {
        const edges = [0, ...positions.toSorted((a, b) => a - b), conversation.length];
        const chunks = edges.slice(1).map((edge, index) => conversation.subarray(edges[index], edge));
        expect(readAll(...chunks)).toEqual(units);
      }),
    );
  });

  it('passes over late words about a copy', () => {
    expect(readAll(STARTUP, message('d', 'a,b'), message('c'), message('f', 'no\0'), query).slice(1)).toEqual(
      [{ kind: 'statement', bytes: query }],
    );
  });

  it.each([
    ['a request to cancel', CANCEL_REQUEST],
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['an opening with no length', Buffer.alloc(8)],
  ])('%s is the end', (_name, bytes) => {
    expect(readAll(bytes)).toEqual([{ kind: 'goodbye' }]);
  });

  it('a message that cannot be is the end, and nothing after it is read', () => {
    const withoutLength = Buffer.from([0x51, 0, 0, 0, 3]);
    expect(readAll(STARTUP, Buffer.concat([withoutLength, query])).slice(1)).toEqual([{ kind: 'goodbye' }]);
  });

  it.each([
    ['a message of type H', [message('H')]],
    ['a query within another', [message('P'), query]],
    ['a Sync with content', [message('S', 'x')]],
  ])('a client that sends %s is told that it is not supported', (what, messages) => {
    expect(readAll(STARTUP, ...messages).slice(1)).toEqual([
      { kind: 'goodbye', reason: `${what} is not supported` },
    ]);
  });

  it('holds at most 1 MiB of a statement, in one message or many', () => {
    const tooLarge = [{ kind: 'goodbye', reason: 'a statement may have at most 1 MiB' }];
    const half = message('P', 'x'.repeat(600_000));
    expect(readAll(STARTUP, message('Q', 'x'.repeat(1024 * 1024)).subarray(0, 5)).slice(1)).toEqual(tooLarge);
    expect(readAll(STARTUP, half, half).slice(1)).toEqual(tooLarge);
  });
});
