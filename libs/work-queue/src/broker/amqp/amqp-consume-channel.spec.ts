import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Channel, type ConsumeMessage, type GetMessage, IllegalOperationError } from 'amqplib';
import { EventEmitter } from 'node:events';
import { endFakeTime, settled } from '../../../../../test/support/fake-broker.js';
import { AmqpConsumeChannel } from './amqp-consume-channel.js';

/** The client library's channel by hand, for what a broker does not do on demand. */
class LibraryChannel extends EventEmitter {
  readonly frames: string[] = [];
  isClosing = false;
  hasGetAnswer = true;
  onDelivery: (message: ConsumeMessage | null) => void = () => undefined;

  async prefetch(): Promise<void> {}

  async consume(_queue: string, onDelivery: LibraryChannel['onDelivery']): Promise<void> {
    this.onDelivery = onDelivery;
  }

  get(): Promise<GetMessage | false> {
    return new Promise((resolve) => this.hasGetAnswer && resolve(false));
  }

  ack({ fields }: ConsumeMessage, isMultiple: boolean): void {
    this.write(`${isMultiple ? 'acks to' : 'ack'} ${fields.deliveryTag}`);
  }

  nack({ fields }: ConsumeMessage): void {
    this.write(`nack ${fields.deliveryTag}`);
  }

  async close(): Promise<void> {
    this.write('close');
    this.emit('close');
  }

  deliver(deliveryTag: number): void {
    const fields = { deliveryTag, redelivered: false };
    this.onDelivery({ fields, properties: {}, content: Buffer.from('{}') } as ConsumeMessage);
  }

  private write(frame: string): void {
    if (this.isClosing) throw new IllegalOperationError('Channel closing', '');
    this.frames.push(frame);
  }
}

/** How long a channel stays open after the last ack or nack that was written on it. */
const SETTLING_MS = 250;

let library: LibraryChannel;
let channel: AmqpConsumeChannel;

beforeEach(async () => {
  // The turns of the event loop stay real.
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
  library = new LibraryChannel();
  channel = new AmqpConsumeChannel(library as unknown as Channel, new Promise(() => undefined));
  await channel.consume({
    queue: 'orders',
    prefetch: 10,
    consumerTag: 'worker.1',
    onMessage: () => undefined,
    onCancelled: () => undefined,
  });
  for (let tag = 1; tag <= 4; tag++) library.deliver(tag);
});

afterEach(endFakeTime);

/** Closes it, and lets pass what time that takes. */
async function closeInTime(): Promise<void> {
  const closing = channel.close();
  await jest.advanceTimersByTimeAsync(SETTLING_MS);
  await closing;
}

/** Until the turn of the event loop has ended in which it is called. */
function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('acks', () => {
  it('of one turn of the event loop are written at its end, what is given back at once', async () => {
    expect([channel.ack(2), channel.giveBack(3), channel.ack(1)]).toEqual([true, true, true]);
    await settled();
    expect(library.frames).toEqual(['nack 3']);
    await endOfTurn();
    channel.ack(4);
    await endOfTurn();
    expect(library.frames).toEqual(['nack 3', 'acks to 2', 'acks to 4']);
    expect(channel.unwrittenAcks).toBe(0);
  });

  it('are refused for what is settled, unknown, or of a channel that is closing', async () => {
    channel.ack(1);
    expect([channel.ack(1), channel.giveBack(1), channel.ack(9)]).toEqual([false, false, false]);
    const closing = channel.close();
    expect([channel.ack(2), channel.giveBack(2), channel.isOpen]).toEqual([false, false, false]);
    await jest.advanceTimersByTimeAsync(SETTLING_MS);
    await closing;
    await endOfTurn();
    expect(library.frames).toEqual(['acks to 1', 'close']);
  });

  it('that were unwritten when the channel closes are written before', async () => {
    for (const tag of [1, 2, 4]) channel.ack(tag);
    await closeInTime();
    expect(library.frames).toEqual(['acks to 2', 'ack 4', 'close']);
    expect(channel.unwrittenAcks).toBe(0);
  });

  it('that were unwritten when the channel went away are counted', async () => {
    channel.ack(1);
    await endOfTurn();
    for (const tag of [2, 4]) channel.ack(tag);
    expect(channel.unwrittenAcks).toBe(0);
    library.emit('close');
    await channel.closed;
    await endOfTurn();
    expect(channel.unwrittenAcks).toBe(2);
    expect(library.frames).toEqual(['acks to 1']);
  });

  it('that the library no longer takes are counted, and what is given back then is not', async () => {
    for (const tag of [1, 2]) channel.ack(tag);
    library.isClosing = true;
    expect(channel.giveBack(3)).toBe(false);
    await endOfTurn();
    library.emit('close');
    await channel.closed;
    expect(channel.unwrittenAcks).toBe(2);
  });
});

describe('closing', () => {
  it.each([
    ['ack', 'acks to 1', () => channel.ack(1)],
    ['nack', 'nack 1', () => channel.giveBack(1)],
  ])(
    'waits after the last %s: a quorum queue forgets those it has not come to',
    async (_how, frame, settle) => {
      settle();
      await endOfTurn();
      await jest.advanceTimersByTimeAsync(SETTLING_MS - 50);
      const closing = channel.close();
      expect(channel.isOpen).toBe(false);
      await jest.advanceTimersByTimeAsync(49);
      expect(library.frames).toEqual([frame]);
      await jest.advanceTimersByTimeAsync(1);
      await closing;
      expect(library.frames).toEqual([frame, 'close']);
    },
  );

  it('counts from the acks that it has to write itself', async () => {
    channel.ack(1);
    const closing = channel.close();
    await jest.advanceTimersByTimeAsync(SETTLING_MS - 1);
    expect(library.frames).toEqual(['acks to 1']);
    await jest.advanceTimersByTimeAsync(1);
    await closing;
    expect(library.frames).toEqual(['acks to 1', 'close']);
  });

  it('waits for nothing when nothing was settled', async () => {
    await channel.close();
    expect(library.frames).toEqual(['close']);
  });

  it('waits no more once what was settled is safe, though it looks for more to write', async () => {
    channel.ack(1);
    await endOfTurn();
    await jest.advanceTimersByTimeAsync(SETTLING_MS);
    await channel.close();
    expect(library.frames).toEqual(['acks to 1', 'close']);
  });

  it('waits no longer than the channel lasts', async () => {
    channel.ack(1);
    const closing = channel.close();
    library.emit('close');
    await closing;
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('a callback that throws', () => {
  it.each([
    ['a delivery', () => library.deliver(5)],
    ['a cancel', () => library.onDelivery(null)],
  ])('over %s is warned about, and goes no further', async (_what, happen) => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const fail = (): never => {
      throw new Error('defect');
    };
    await channel.consume({
      queue: 'orders',
      prefetch: 10,
      consumerTag: 'worker.2',
      onMessage: fail,
      onCancelled: fail,
    });
    expect(happen).not.toThrow();
    expect(warn.mock.calls).toEqual([['consumer worker.2 threw: Error: defect']]);
    warn.mockRestore();
  });
});
