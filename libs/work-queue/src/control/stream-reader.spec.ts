import { expect, it, jest } from '@jest/globals';
import { FakeConnection, fakeTimeInEachTest, gate, settled } from '../../../../test/support/fake-broker.js';
import { STREAM_OFFSET, type StreamOffset } from '../broker/broker.port.js';
import { StreamReader } from './stream-reader.js';

fakeTimeInEachTest();

const never = (): Promise<void> => new Promise(() => undefined);

function opening(connection: FakeConnection, from: StreamOffset = 'first') {
  const entries: Array<[number, string]> = [];
  const ending = new AbortController();
  const onEntry = (offset: number, body: Buffer): void => void entries.push([offset, body.toString()]);
  const opened = StreamReader.open(connection, { stream: 'plan', from, signal: ending.signal, onEntry });
  return { opened, entries, ending };
}

function messageOf(failing: Promise<unknown>): Promise<string> {
  return failing.then(
    () => 'it did not fail',
    (error: Error) => error.message,
  );
}

function deliver({ consumeChannel }: FakeConnection, offset: unknown, body: string): void {
  consumeChannel.deliver({ body: Buffer.from(body), headers: { [STREAM_OFFSET]: offset } });
}

it('a reader begins where it is told, and acks what it is given, readable or not', async () => {
  const connection = new FakeConnection();
  const { opened, entries } = opening(connection, 7);
  await opened;
  deliver(connection, 7, 'e7');
  deliver(connection, undefined, 'of no stream');
  const { request, unsettled } = connection.consumeChannel;
  expect(request).toMatchObject({ queue: 'plan', streamOffset: 7 });
  expect(request.prefetch).toBeGreaterThan(0);
  expect(entries).toEqual([[7, 'e7']]);
  expect(unsettled.size).toBe(0);
});

it('a reader gives nothing any more once it is closed, whatever is still on its way', async () => {
  const connection = new FakeConnection();
  const { opened, entries } = opening(connection);
  const reader = await opened;
  reader.close();
  deliver(connection, 0, 'e0');
  expect(entries).toEqual([]);
  expect(await reader.ended).toBe('the reader was closed');
  expect(connection.consumeChannel.isOpen).toBe(false);
});

it('a reader ends by its signal, by a cancel of the broker, and with its channel', async () => {
  const connection = new FakeConnection();
  const byUs = opening(connection);
  const reader = await byUs.opened;
  byUs.ending.abort();
  expect(await reader.ended).toBe('the reader was closed');
  const byBroker = await opening(connection).opened;
  connection.consumeChannel.request.onCancelled();
  expect(await byBroker.ended).toBe('the broker cancelled the consumer');
  const byChannel = await opening(connection).opened;
  connection.consumeChannel.end('channel gone');
  expect(await byChannel.ended).toBe('channel gone');
});

it('a reader is not opened when its signal has aborted', async () => {
  const connection = new FakeConnection();
  const { promise, open } = gate();
  connection.beforeOpen = () => promise;
  const { opened, ending } = opening(connection);
  ending.abort(new Error('over'));
  open();
  await expect(opened).rejects.toThrow('over');
  expect(connection.consumeChannel.isOpen).toBe(false);
});

it('a channel that comes too late is closed', async () => {
  const connection = new FakeConnection();
  const { promise, open } = gate();
  connection.beforeOpen = () => promise;
  const failed = messageOf(opening(connection).opened);
  await jest.advanceTimersByTimeAsync(5_000);
  expect(await failed).toContain('opened no channel within 5000 ms');
  open();
  await settled();
  expect(connection.consumeChannel.isOpen).toBe(false);
});

it('a broker that does not answer is not waited for, and the channel is closed', async () => {
  const connection = new FakeConnection();
  connection.prepare = (channel) => (channel.beforeConsumeOk = never);
  const failed = messageOf(opening(connection).opened);
  await jest.advanceTimersByTimeAsync(5_000);
  expect(await failed).toContain('did not answer to a consumer');
  expect(connection.consumeChannel.isOpen).toBe(false);
  connection.prepare = (channel) => (channel.beforeCancelOk = never);
  const reader = await opening(connection).opened;
  const unfenced = messageOf(reader.fence());
  await jest.advanceTimersByTimeAsync(5_000);
  expect(await unfenced).toContain('did not answer to a fence');
});
