import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FakeConsumeChannel, incoming } from '../../../../test/support/fake-broker.js';
import { Delivery } from './delivery.js';

function setUp() {
  const channel = new FakeConsumeChannel();
  channel.unsettled.add(7);
  return {
    channel,
    delivery: new Delivery(incoming({ deliveryTag: 7 }), channel, new AbortController().signal),
  };
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
});
