import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeRecord, encodeEntry, encodeMarker, MAX_ENTRY_BYTES, type PlanEntry } from './plan-entry.js';

const ENTRY: PlanEntry = {
  id: 'id-1',
  logId: 'log-1',
  basedOn: 7,
  author: 'ada',
  reason: 'the database is slow',
  at: 1_700_000_000_000,
  change: 'orders: prefetch 20',
  overrides: { orders: { prefetch: { value: 20, author: 'ada' } } },
};

function decoded(value: unknown) {
  return decodeRecord(Buffer.from(JSON.stringify(value)));
}

function written(change: object): unknown {
  return { ...JSON.parse(encodeEntry(ENTRY).toString()), ...change };
}

describe('an entry of the plan log', () => {
  it('is read as it was written', () => {
    expect(decodeRecord(encodeEntry(ENTRY))).toEqual({ kind: 'entry', entry: ENTRY });
  });

  it('may clear everything, and be the first of its log', () => {
    const entry = { ...ENTRY, basedOn: -1, overrides: {} };
    expect(decodeRecord(encodeEntry(entry))).toEqual({ kind: 'entry', entry });
  });

  it('is read without what a later version added', () => {
    expect(decoded(written({ colour: 'red' }))).toEqual({ kind: 'entry', entry: ENTRY });
  });

  it.each<[string, object, string]>([
    ['another version', { version: 2 }, 'expected version to be 1, got: 2'],
    ['another kind', { kind: 'plan' }, 'expected kind to be entry or marker, got: "plan"'],
    ['no id', { id: undefined }, 'expected id to be a text of 1 to 1000 characters, got: nothing'],
    ['an empty author', { author: '' }, 'expected author to be a text of 1 to 1000 characters, got: ""'],
    ['a log id that is no text', { logId: 7 }, 'expected logId to be a text of 1 to 1000 characters, got: 7'],
    ['a base below -1', { basedOn: -2 }, 'expected basedOn to be an offset or -1, got: -2'],
    ['a base that is no integer', { basedOn: 1.5 }, 'expected basedOn to be an offset or -1, got: 1.5'],
    ['a time in text', { at: 'now' }, 'expected at to be milliseconds since the epoch, got: "now"'],
    ['overrides in a list', { overrides: [] }, 'expected overrides to be an object of objects, got: []'],
    [
      'a queue’s overrides that are none',
      { overrides: { orders: 20 } },
      'expected overrides to be an object of objects, got: {"orders":20}',
    ],
  ])('with %s is malformed', (_what, change, reason) => {
    expect(decoded(written(change))).toEqual({ kind: 'malformed', reason });
  });

  it('says only the beginning of a text that is too long', () => {
    const reason = `expected reason to be a text of 1 to 1000 characters, got: "${'x'.repeat(79)}...`;
    expect(decoded(written({ reason: 'x'.repeat(1_001) }))).toEqual({ kind: 'malformed', reason });
  });

  it('is not even looked at when it is too large', () => {
    const body = Buffer.alloc(MAX_ENTRY_BYTES + 1, 0x20);
    expect(decodeRecord(body)).toEqual({
      kind: 'malformed',
      reason: 'it has 65537 bytes, more than 65536',
    });
  });
});

describe('a marker', () => {
  it('is read as it was written', () => {
    expect(decodeRecord(encodeMarker('nonce-1'))).toEqual({ kind: 'marker', nonce: 'nonce-1' });
  });

  it('without a nonce is malformed', () => {
    expect(decoded({ kind: 'marker', version: 1 })).toEqual({
      kind: 'malformed',
      reason: 'expected nonce to be a text, got: nothing',
    });
  });
});

describe('anything else in the log', () => {
  it.each(['', 'pause', '[]', 'null', '"text"', '{'])('is malformed: %j', (body) => {
    expect(decodeRecord(Buffer.from(body))).toEqual({
      kind: 'malformed',
      reason: 'it is not a JSON object',
    });
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          expect(decodeRecord(Buffer.from(bytes)).kind).toBe('malformed');
        },
      ),
    );
  });
});
