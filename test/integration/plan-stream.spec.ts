import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import type { StreamOffset } from '../../libs/work-queue/src/broker/broker.port.js';
import type { ReconnectingConnection } from '../../libs/work-queue/src/broker/reconnecting-connection.js';
import {
  appendBurst,
  appendSerially,
  connectTo,
  declareStream,
  RecordingReader,
} from '../support/stream-broker.js';
import { until } from '../support/until.js';
import { createVhost, type TestVhost } from '../support/vhost.js';
import { closeConnections } from '../support/worker-broker.js';

// What the plan log is built on, measured on 3.10.8, 4.0.5 and 4.3.6: a broker of which one of these does not hold
// cannot carry it.

const STREAM = 'plan';

let vhost: TestVhost;
let connectionName: string;
let connection: ReconnectingConnection;
const others: ReconnectingConnection[] = [];

beforeEach(async () => {
  vhost = await createVhost();
  connectionName = randomUUID();
  connection = await connectTo(vhost.url, connectionName);
  await declareStream(connection, STREAM);
});

afterEach(async () => {
  await Promise.all([connection, ...others.splice(0)].map((open) => open.close()));
  await vhost.delete();
});

function read(streamOffset?: StreamOffset): Promise<RecordingReader> {
  return RecordingReader.open(connection, STREAM, streamOffset);
}

/** What a reader is given at once. */
async function readAtOnce(streamOffset?: StreamOffset): Promise<string[]> {
  const reader = await read(streamOffset);
  await reader.fence();
  void reader.channel.close();
  return reader.entries.map(({ body }) => body);
}

function words(count: number, prefix = 'e'): string[] {
  return Array.from({ length: count }, (_one, n) => `${prefix}${n}`);
}

describe('a reader of a stream', () => {
  it('says in a header at which offset each entry stands, from 0', async () => {
    await appendSerially(connection, STREAM, words(3));
    const reader = await read('first');
    await reader.hasRead(3);
    expect(reader.entries).toEqual([
      { offset: 0, body: 'e0' },
      { offset: 1, body: 'e1' },
      { offset: 2, body: 'e2' },
    ]);
  });

  it('begins where it is told: first, last, next, or at a number', async () => {
    await appendSerially(connection, STREAM, words(5));
    expect(await readAtOnce('first')).toEqual(words(5));
    expect(await readAtOnce('last')).toEqual(['e4']);
    expect(await readAtOnce(3)).toEqual(['e3', 'e4']);
    expect(await readAtOnce('next')).toEqual([]);
    expect(await readAtOnce()).toEqual([]);
  });

  it('is given the last chunk from `last`: after bursts mostly more than one entry, and all of them at once', async () => {
    const counts: number[] = [];
    // How a burst falls into chunks is the broker's business: the last of one may hold a single entry.
    for (let burst = 0; burst < 10; burst++) {
      await appendBurst(connection, STREAM, words(100));
      const bodies = await readAtOnce('last');
      expect(bodies).toEqual(words(100).slice(-bodies.length));
      expect(await readAtOnce('last')).toEqual(bodies);
      counts.push(bodies.length);
    }
    expect(Math.max(...counts)).toBeGreaterThan(1);
  });

  it('goes on with what is appended later', async () => {
    await appendSerially(connection, STREAM, ['old']);
    const readers = [await read('first'), await read('last'), await read(0), await read('next')];
    await appendSerially(connection, STREAM, ['new']);
    await Promise.all(readers.map((reader) => reader.hasReadBody('new')));
    expect(readers.map(({ offsets }) => offsets)).toEqual([[0, 1], [0, 1], [0, 1], [1]]);
  });

  it('hears nothing of an empty stream, wherever it begins, and then what comes', async () => {
    const readers = [await read('first'), await read('last'), await read('next')];
    await Promise.all(readers.map((reader) => reader.fence()));
    expect(readers.map(({ entries }) => entries)).toEqual([[], [], []]);
    await appendSerially(connection, STREAM, ['e0']);
    await Promise.all(readers.map((reader) => reader.hasRead(1)));
    expect(readers.map(({ offsets }) => offsets)).toEqual([[0], [0], [0]]);
  });

  it('knows that a stream is empty once its own marker is the first it reads', async () => {
    const reader = await read('last');
    await appendSerially(connection, STREAM, ['marker']);
    await reader.hasReadBody('marker');
    expect(reader.entries).toEqual([{ offset: 0, body: 'marker' }]);
  });

  it('that begins beyond the end skips what comes below, and is never told', async () => {
    await appendSerially(connection, STREAM, words(2));
    const reader = await read(4);
    await appendSerially(connection, STREAM, words(4, 'later'));
    await reader.hasRead(2);
    expect(reader.entries).toEqual([
      { offset: 4, body: 'later2' },
      { offset: 5, body: 'later3' },
    ]);
  });

  it('may ack as every consumer does: each delivery, many in one frame', async () => {
    await appendBurst(connection, STREAM, words(5_000));
    const reader = await read('first');
    await reader.hasReadBody('e4999');
    expect(reader.entries.map(({ body }) => body)).toEqual(words(5_000));
    await reader.fence();
    expect(reader.channel.isOpen).toBe(true);
  });

  it('must ack and must have a prefetch: without the broker ends its connection or channel', async () => {
    await appendSerially(connection, STREAM, ['e0']);
    expect(await refusal({ noAck: true, prefetch: 10 })).toContain('540');
    expect(await refusal({ noAck: false, prefetch: undefined })).toContain('PRECONDITION_FAILED');
  });
});

/** What the broker says to a consumer of the client library; our port has no way to be one. */
async function refusal(options: { noAck: boolean; prefetch: number | undefined }): Promise<string> {
  const model = await connect(vhost.url);
  const ended = new Promise<string>((resolve) => model.on('error', (error) => resolve(String(error))));
  const channel = await model.createChannel();
  const closed = new Promise<string>((resolve) => channel.on('error', (error) => resolve(String(error))));
  if (options.prefetch !== undefined) await channel.prefetch(options.prefetch);
  channel.consume(STREAM, () => undefined, { noAck: options.noAck }).catch(() => undefined);
  const reason = await Promise.race([ended, closed]);
  await model.close().catch(() => undefined);
  return reason;
}

describe('writers of a stream', () => {
  it('that race are read by all in one order', async () => {
    const other = await connectTo(vhost.url);
    others.push(other);
    const readers = [await read('first'), await RecordingReader.open(other, STREAM, 'first')];
    await Promise.all([
      appendSerially(connection, STREAM, words(50, 'a')),
      appendSerially(other, STREAM, words(50, 'b')),
    ]);
    await Promise.all(readers.map((reader) => reader.hasRead(100)));
    const [first, second] = readers;
    expect(second?.entries).toEqual(first?.entries);
    expect(await readAtOnce('first')).toEqual(first?.entries.map(({ body }) => body));
    expect(first?.entries.map(({ body }) => body).filter((body) => body.startsWith('a'))).toEqual(
      words(50, 'a'),
    );
  });

  it('are told that there is no stream', async () => {
    expect(await appendBurst(connection, 'no-such-stream', ['e0'])).toEqual(['returned']);
  });
});

describe('retention', () => {
  const SEGMENT_BYTES = 100_000;
  const MAX_BYTES = 500_000;
  const ENTRY = 'x'.repeat(8_000);
  const TRUNCATED = 'truncated';

  beforeEach(async () => {
    await declareStream(connection, TRUNCATED, {
      'x-max-length-bytes': MAX_BYTES,
      'x-stream-max-segment-size-bytes': SEGMENT_BYTES,
    });
    for (let n = 0; n < 30; n++) {
      await appendBurst(
        connection,
        TRUNCATED,
        Array.from({ length: 10 }, () => ENTRY),
      );
    }
    await until(async () => ((await firstLeft()) > 0 ? undefined : 'nothing removed yet'), 20_000);
  });

  async function firstLeft(): Promise<number> {
    const reader = await RecordingReader.open(connection, TRUNCATED, 'first');
    await reader.hasRead(1);
    await reader.channel.close();
    return reader.offsets[0] ?? -1;
  }

  async function readFrom(streamOffset: StreamOffset): Promise<RecordingReader> {
    const reader = await RecordingReader.open(connection, TRUNCATED, streamOffset);
    await appendSerially(connection, TRUNCATED, ['end']);
    await reader.hasReadBody('end');
    return reader;
  }

  it('removes whole segments from the front, and keeps the limit less one segment at least', async () => {
    const { entries } = await readFrom('first');
    const keptBytes = entries.reduce((sum, { body }) => sum + body.length, 0);
    expect(keptBytes).toBeGreaterThan(MAX_BYTES - SEGMENT_BYTES);
    expect(keptBytes).toBeLessThan(MAX_BYTES + 2 * SEGMENT_BYTES);
  });

  it('has a reader that asks for what was removed begin at the first that is left', async () => {
    const { offsets } = await readFrom(3);
    expect(offsets[0]).toBeGreaterThan(3);
    expect(offsets[0]).toBe((await readFrom('first')).offsets[0]);
  });

  it('has `last` give the newest entry also where a segment has just begun', async () => {
    for (let n = 0; n < 30; n++) {
      await appendSerially(connection, TRUNCATED, [`${n} ${ENTRY}`]);
      const reader = await RecordingReader.open(connection, TRUNCATED, 'last');
      await reader.fence();
      void reader.channel.close();
      expect(reader.entries.map(({ body }) => body)).toEqual([`${n} ${ENTRY}`]);
    }
  });

  it('leaves gaps in the offsets, one where a segment begins, but never two of one number', async () => {
    const { offsets } = await readFrom('first');
    const steps = offsets.slice(1).map((offset, index) => offset - (offsets[index] ?? 0));
    expect(new Set(steps)).toEqual(new Set([1, 2]));
  });
});

describe('a reader whose stream is deleted', () => {
  it('is cancelled and keeps its channel', async () => {
    await appendSerially(connection, STREAM, words(3));
    const reader = await read('first');
    await reader.hasRead(3);
    await deleteStream();
    await until(async () => (reader.isCancelled ? undefined : 'not cancelled'), 5_000);
    expect(reader.channel.isOpen).toBe(true);
  });

  it('hears nothing of the next one of that name, whose offsets begin at 0 again', async () => {
    await appendSerially(connection, STREAM, words(3));
    const before = await read('first');
    await before.hasRead(3);
    await deleteStream();
    await declareStream(connection, STREAM);
    await appendSerially(connection, STREAM, ['new']);
    const after = await read('first');
    await after.hasRead(1);
    expect(after.entries).toEqual([{ offset: 0, body: 'new' }]);
    expect(await readAtOnce(2)).toEqual([]);
    expect(before.entries).toHaveLength(3);
  });

  it('may be there again at once, however often: neither connection nor channel ends', async () => {
    for (let round = 0; round < 40; round++) {
      const reader = await read('last');
      await deleteStream();
      await declareStream(connection, STREAM);
      await read('last');
      await until(async () => (reader.isCancelled ? undefined : 'not cancelled'), 5_000);
    }
    expect(connection.state.kind).toBe('open');
  });
});

async function deleteStream(): Promise<void> {
  const model = await connect(vhost.url);
  const channel = await model.createChannel();
  await channel.deleteQueue(STREAM);
  await model.close();
}

describe('a connection that the broker closes', () => {
  it('ends the reader without a cancel; the stream is there unchanged', async () => {
    await appendSerially(connection, STREAM, words(3));
    const reader = await read('first');
    await reader.hasRead(3);
    await closeConnections(vhost.name, [connectionName]);
    await reader.channel.closed;
    expect(reader.isCancelled).toBe(false);
    await connection.whenOpen();
    expect(await readAtOnce('first')).toEqual(words(3));
  });
});
