import {
  argumentsUnderPolicy,
  argumentsWithLimit,
  deadLetterArgumentsWithLimit,
  differences,
  dueArguments,
  waitArguments,
  workQueueUnderPolicy,
} from './queue-arguments.js';
import type { QueueDescription } from './queue-arguments.js';
import type { QueueTarget } from './queue-target.js';

const target: QueueTarget = { name: 'orders', type: 'quorum', overflow: 'reject-publish', maxLength: 127 };

const wanted = workQueueUnderPolicy(target);

function found(changes: Partial<QueueDescription> = {}): QueueDescription {
  const { type } = target;
  return {
    type,
    durable: true,
    autoDelete: false,
    exclusive: false,
    arguments: argumentsUnderPolicy(target),
    ...changes,
  };
}

function withArgument(key: string, value: unknown): QueueDescription {
  return found({ arguments: { ...argumentsUnderPolicy(target), [key]: value } });
}

describe('the arguments of a queue', () => {
  it('under a policy carry no limit, so that it can be raised live', () => {
    expect(argumentsUnderPolicy(target)).toEqual({
      'x-queue-type': 'quorum',
      'x-overflow': 'reject-publish',
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': 'orders.dead',
    });
  });

  it('without a policy carry the limit, and on a quorum queue a delivery limit no handler reaches', () => {
    expect(argumentsWithLimit(target)).toMatchObject({ 'x-max-length': 127, 'x-delivery-limit': 1_000_000 });
    expect(argumentsWithLimit({ ...target, type: 'classic' })).not.toHaveProperty('x-delivery-limit');
  });

  it('of a dead-letter queue bound it for a feed only', () => {
    const feed: QueueTarget = { ...target, overflow: 'drop-head' };
    expect(deadLetterArgumentsWithLimit(target)).toEqual({
      'x-queue-type': 'quorum',
      'x-delivery-limit': 1_000_000,
    });
    expect(deadLetterArgumentsWithLimit(feed)).toMatchObject({
      'x-max-length': 1000,
      'x-overflow': 'drop-head',
    });
    expect(deadLetterArgumentsWithLimit({ ...feed, maxLength: 5000 })).toMatchObject({
      'x-max-length': 5000,
    });
  });
});

describe('the arguments of a retry queue', () => {
  it('that is due bound nothing and lead to the dead letters', () => {
    expect(dueArguments('orders')).toEqual({
      'x-queue-type': 'quorum',
      'x-delivery-limit': 1_000_000,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': 'orders.dead',
    });
  });

  it('that waits lead to the due queue after its time, at least once', () => {
    expect(waitArguments('orders', 500)).toEqual({
      'x-queue-type': 'quorum',
      'x-delivery-limit': 1_000_000,
      'x-message-ttl': 500,
      'x-overflow': 'reject-publish',
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': 'orders.due',
      'x-dead-letter-strategy': 'at-least-once',
    });
  });
});

describe('a queue that is there', () => {
  it('is the wanted one with the wanted arguments, and with more that do no harm', () => {
    expect(differences(found(), wanted)).toEqual([]);
    expect(differences(withArgument('x-single-active-consumer', true), wanted)).toEqual([]);
  });

  it.each([
    ['type', found({ type: 'classic' })],
    ['durable', found({ durable: false })],
    ['auto-delete', found({ autoDelete: true })],
    ['exclusive', found({ exclusive: true })],
    ['x-overflow', withArgument('x-overflow', undefined)],
    ['x-overflow', withArgument('x-overflow', 'drop-head')],
    ['x-dead-letter-exchange', withArgument('x-dead-letter-exchange', 'dlx')],
    ['x-dead-letter-routing-key', withArgument('x-dead-letter-routing-key', 'graveyard')],
    ['x-max-length', withArgument('x-max-length', 10)],
    ['x-expires', withArgument('x-expires', 60_000)],
  ])('is another one when %s differs', (setting, description) => {
    expect(differences(description, wanted).map((difference) => difference.setting)).toEqual([setting]);
  });
});
