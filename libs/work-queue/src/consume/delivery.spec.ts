import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FakeConsumeChannel, incoming } from '../../../../test/support/fake-broker.js';
import type { IncomingMessage } from '../broker/broker.port.js';
import { HEADERS } from '../message/headers.js';
import { Delivery, type Lane } from './delivery.js';

function setUp({ lane = 'work' as Lane, headers = {} as IncomingMessage['headers'] } = {}) {
  const channel = new FakeConsumeChannel();
  channel.unsettled.add(7);
  const ending = new AbortController();
  const wentBack: Delivery[] = [];
  const source = { lane, channel, ending: ending.signal };
  const message = incoming({ deliveryTag: 7, headers });
  const delivery = new Delivery(message, source, false, (back) => void wentBack.push(back));
  return { channel, ending, delivery, wentBack };
}

describe('a delivery', () => {
  it('is settled at most once, by whoever comes first', () => {
    const attempts = fc.array(fc.constantFrom<'ack' | 'giveBack'>('ack', 'giveBack'), { minLength: 1 });
    fc.assert(
      fc.property(attempts, (settles) => {
        const { channel, delivery } = setUp();
        expect(settles.map((how) => delivery[how]())).toEqual(settles.map((_how, index) => index === 0));
        expect(channel.log).toEqual([settles[0] === 'ack' ? 'ack 7' : 'give back 7']);
      }),
    );
  });

  it('says so when its channel died first', () => {
    const { channel, delivery } = setUp();
    channel.end('gone');
    expect(delivery.ack()).toBe(false);
    expect(delivery.giveBack()).toBe(false);
  });

  it('tells whoever remembers it that it goes back, once, and not when it was settled before', () => {
    const { delivery, wentBack } = setUp();
    delivery.giveBack();
    delivery.giveBack();
    expect(wentBack).toEqual([delivery]);
    const settled = setUp();
    settled.delivery.ack();
    settled.delivery.giveBack();
    expect(settled.wentBack).toEqual([]);
  });

  it('is over as soon as its channel is closed or ending, and not before', () => {
    const closed = setUp();
    expect(closed.delivery.isOver).toBe(false);
    closed.channel.end('gone');
    expect(closed.delivery.isOver).toBe(true);
    const ending = setUp();
    ending.ending.abort();
    expect(ending.delivery.isOver).toBe(true);
  });

  it.each([
    ['alone', 1, true],
    ['alone', 2, true],
    ['alone', 'many', true],
    ['alone', undefined, true],
    ['due', 1, false],
    ['due', undefined, false],
    ['work', 1, false],
  ] as const)('of the lane %s with %p starts on record runs alone: %p', (lane, starts, runsAlone) => {
    const { delivery } = setUp({ lane, headers: { [HEADERS.starts]: starts } });
    expect(delivery.runsAlone).toBe(runsAlone);
  });
});
