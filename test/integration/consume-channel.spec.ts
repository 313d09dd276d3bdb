import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import { AmqpConsumeChannel } from '../../libs/work-queue/src/broker/amqp/amqp-consume-channel.js';
import type { IncomingMessage } from '../../libs/work-queue/src/broker/broker.port.js';
import { takeAll, type TakenMessage } from '../support/messages.js';
import { until } from '../support/until.js';
import { createVhost, type TestVhost } from '../support/vhost.js';

const COUNT = 500;
const PREFETCH = 50;

let vhost: TestVhost;
let model: ChannelModel;
let prepare: Channel;
let library: Channel;
let channel: AmqpConsumeChannel;

beforeEach(async () => {
  vhost = await createVhost();
  model = await connect(vhost.url);
  prepare = await model.createChannel();
  await prepare.assertQueue('orders');
  ({ library, channel } = await openChannel());
});

afterEach(async () => {
  await model.close();
  await vhost.delete();
});

async function openChannel(): Promise<{ library: Channel; channel: AmqpConsumeChannel }> {
  const opened = await model.createChannel();
  return { library: opened, channel: new AmqpConsumeChannel(opened, new Promise(() => undefined)) };
}

async function put(from: number, to: number): Promise<void> {
  const confirming = await model.createConfirmChannel();
  for (let n = from; n < to; n++) confirming.sendToQueue('orders', Buffer.from(`${n}`));
  await confirming.waitForConfirms();
  await confirming.close();
}

async function consume(onMessage: (message: IncomingMessage) => void, consumerTag = 'worker.1') {
  let onCancelled: () => void = () => undefined;
  const cancelled = new Promise<void>((resolve) => (onCancelled = resolve));
  await channel.consume({ queue: 'orders', prefetch: PREFETCH, consumerTag, onMessage, onCancelled });
  return { cancelled };
}

/** What is unsettled goes back to the queue first. */
async function leftAfterClose(): Promise<TakenMessage[]> {
  await channel.close();
  return takeAll(vhost.url, 'orders');
}

async function ready(): Promise<number> {
  return (await prepare.checkQueue('orders')).messageCount;
}

function numberIn({ body }: IncomingMessage): number {
  return Number(body.toString());
}

/** What is being worked on; it ends in an order that looks like chance and is the same every time. */
class Desk {
  private readonly open: IncomingMessage[] = [];
  private seed = 7;

  get size(): number {
    return this.open.length;
  }

  add(message: IncomingMessage): void {
    this.open.push(message);
  }

  /** Some, at least one if there is any. */
  takeSome(): IncomingMessage[] {
    return Array.from({ length: 1 + this.next() }, () => this.open.splice(this.next(), 1)).flat();
  }

  /** A number below the size. */
  private next(): number {
    this.seed = (this.seed * 48_271) % 2_147_483_647;
    return this.seed % Math.max(1, this.size);
  }
}

describe('acks out of order', () => {
  it('leave a queue with nothing in it, and nothing to come again', async () => {
    await put(0, COUNT);
    const written = jest.spyOn(library, 'ack');
    const desk = new Desk();
    const seen: IncomingMessage[] = [];
    const acked: boolean[] = [];
    await new Promise<void>((resolve) => {
      void consume((message) => {
        seen.push(message);
        desk.add(message);
        while (desk.size > (seen.length < COUNT ? PREFETCH / 2 : 0)) {
          acked.push(...desk.takeSome().map(({ deliveryTag }) => channel.ack(deliveryTag)));
        }
        if (acked.length === COUNT) resolve();
      });
    });
    expect(await leftAfterClose()).toEqual([]);
    expect(acked).not.toContain(false);
    expect(seen.map(numberIn)).toEqual(Array.from({ length: COUNT }, (_one, n) => n));
    expect(seen.filter(({ isRedelivered }) => isRedelivered)).toEqual([]);
    expect(written.mock.calls.length).toBeLessThan(COUNT);
  });

  it('settle what they were given for when the channel closes in the midst, and the rest comes again', async () => {
    await put(0, COUNT);
    const acked = new Set<number>();
    const closed = new Promise<void>((resolve) => {
      void consume((message) => {
        // Every third is left, so acks on their own follow each that reaches some way.
        if (numberIn(message) % 3 !== 1 && channel.ack(message.deliveryTag)) acked.add(numberIn(message));
        if (message.deliveryTag === 60) resolve(channel.close());
      });
    });
    await closed;
    const left = await takeAll(vhost.url, 'orders');
    expect(acked.size).toBe(40);
    expect(channel.unwrittenAcks).toBe(0);
    const expected = Array.from({ length: COUNT }, (_one, n) => n).filter((n) => !acked.has(n));
    expect(left.map(({ payload }) => payload)).toEqual(expected);
    expect(left.slice(0, 20).every(({ isRedelivered }) => isRedelivered)).toBe(true);
  });

  it('go with given-back ones, which come again', async () => {
    await put(0, COUNT);
    const ended = new Set<number>();
    const again: number[] = [];
    await consume((message) => {
      const { deliveryTag, isRedelivered } = message;
      if (isRedelivered) again.push(numberIn(message));
      if (!isRedelivered && numberIn(message) % 7 === 0) channel.giveBack(deliveryTag);
      else if (channel.ack(deliveryTag)) ended.add(numberIn(message));
    });
    await until(async () => (ended.size === COUNT ? undefined : `${ended.size} ended`));
    expect(await leftAfterClose()).toEqual([]);
    expect(again).toHaveLength(Math.ceil(COUNT / 7));
  });
});

describe('a consumer that is no more', () => {
  it('may get another delivery, which ends nothing and comes again once the channel is closed', async () => {
    await put(0, 1);
    const delivered: IncomingMessage[] = [];
    await consume((message) => delivered.push(message));
    await until(async () => (delivered.length === 1 ? undefined : 'not delivered'));
    // The library forgets a consumer the broker cancelled; what comes for it then is for nobody.
    const forget: unknown = Reflect.get(library, 'unregisterConsumer');
    if (typeof forget === 'function') Reflect.apply(forget, library, ['worker.1']);
    await put(1, 2);
    await until(async () => ((await ready()) === 0 ? undefined : 'still ready'));
    // Passes the lost delivery on its way, so whatever that does has happened.
    await channel.cancel('nobody');
    for (const { deliveryTag } of delivered) expect(channel.ack(deliveryTag)).toBe(true);
    await channel.cancel('worker.1');
    await consume((message) => channel.ack(message.deliveryTag), 'worker.2');
    await put(2, 4);
    await until(async () => ((await ready()) === 0 ? undefined : 'still ready'));
    await channel.cancel('nobody');
    expect(channel.isOpen).toBe(true);
    expect(delivered).toHaveLength(1);
    expect((await leftAfterClose()).map(({ payload }) => payload)).toEqual([1]);
  });

  it('may settle what it has, though its queue is deleted', async () => {
    await put(0, 2);
    const delivered: IncomingMessage[] = [];
    const { cancelled } = await consume((message) => delivered.push(message));
    await until(async () => (delivered.length === 2 ? undefined : `${delivered.length} delivered`));
    await prepare.deleteQueue('orders');
    await cancelled;
    for (const { deliveryTag } of delivered) expect(channel.ack(deliveryTag)).toBe(true);
    await prepare.assertQueue('orders');
    await channel.cancel('nobody');
    expect(channel.isOpen).toBe(true);
  });
});

describe('a consumer that throws', () => {
  it('keeps its channel and its connection; the delivery comes again once the channel is closed', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    await put(0, 3);
    const seen: number[] = [];
    await consume((message) => {
      seen.push(numberIn(message));
      if (numberIn(message) === 1) throw new Error('defect');
      channel.ack(message.deliveryTag);
    });
    await until(async () => (seen.length === 3 ? undefined : `${seen.length} seen`));
    expect(warn).toHaveBeenCalledWith('consumer worker.1 threw: Error: defect');
    warn.mockRestore();
    expect(channel.isOpen).toBe(true);
    expect(await leftAfterClose()).toMatchObject([{ payload: 1, isRedelivered: true }]);
  });
});
