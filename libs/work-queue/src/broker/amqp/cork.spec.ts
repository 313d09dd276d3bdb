import { describe, expect, it } from '@jest/globals';
import type { ChannelModel } from 'amqplib';
import { corkWrites } from './cork.js';

/** As much of the client library as writes messages, and what happens in it. */
function libraryWith(read: (log: string[]) => void) {
  const log: string[] = [];
  const out = { cork: () => log.push('cork'), uncork: () => log.push('uncork') };
  const muxer = { out, _readIncoming: () => read(log) };
  return { log, muxer, model: modelOf({ muxer }) };
}

function modelOf(connection: unknown): ChannelModel {
  return { connection } as unknown as ChannelModel;
}

describe('writes to the socket', () => {
  it('go out together that were ready in one turn', () => {
    const { log, muxer, model } = libraryWith((writes) => writes.push('write', 'write'));
    expect(corkWrites(model)).toBe(true);
    muxer._readIncoming();
    expect(log).toEqual(['cork', 'write', 'write', 'uncork']);
  });

  it('go out also when one of them failed', () => {
    const { log, muxer, model } = libraryWith(() => {
      throw new Error('broken');
    });
    corkWrites(model);
    expect(() => muxer._readIncoming()).toThrow('broken');
    expect(log).toEqual(['cork', 'uncork']);
  });

  const out = { cork: () => undefined, uncork: () => undefined };
  it.each<[string, object]>([
    ['no connection', {}],
    ['no muxer', { connection: {} }],
    ['another muxer', { connection: { muxer: { out } } }],
    ['nothing to write to', { connection: { muxer: { _readIncoming: () => undefined } } }],
    ['no cork', { connection: { muxer: { _readIncoming: () => undefined, out: { uncork: out.uncork } } } }],
    ['no uncork', { connection: { muxer: { _readIncoming: () => undefined, out: { cork: out.cork } } } }],
  ])('stay as they are where the library has %s', (_what, library) => {
    const muxer: unknown = Reflect.get(Object(Reflect.get(library, 'connection')), 'muxer');
    const before = { ...Object(muxer) };
    expect(corkWrites(library as ChannelModel)).toBe(false);
    expect({ ...Object(muxer) }).toEqual(before);
  });
});
