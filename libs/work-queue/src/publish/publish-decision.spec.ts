import { describe, expect, it } from '@jest/globals';
import type { QueueReading } from '../broker/broker.port.js';
import { decidePublish, type PublishEnd, type PublishTarget } from './publish-decision.js';

const QUORUM: PublishTarget = {
  name: 'orders',
  type: 'quorum',
  overflow: 'reject-publish',
  maxLength: 129,
  window: 10,
  serviceTimeMs: 50,
  concurrencyTotal: 10,
};
const CLASSIC: PublishTarget = { ...QUORUM, type: 'classic' };
const FEED: PublishTarget = { ...QUORUM, overflow: 'drop-head' };

function nacked(readyMessages?: number, consumers = 1): PublishEnd {
  const reading: QueueReading | undefined =
    readyMessages === undefined ? undefined : { readyMessages, consumers };
  return { at: 'broker', answer: 'nacked', reading };
}

function reasonOf(end: PublishEnd, target: PublishTarget): string {
  const decision = decidePublish(end, target);
  return decision.accepted ? 'accepted' : decision.reason;
}

describe('what a publisher says', () => {
  it.each<[string, PublishEnd, PublishTarget, string]>([
    ['the connection is blocked by an alarm', { at: 'connection', state: 'blocked' }, QUORUM, 'broker-alarm'],
    ['the connection was never opened', { at: 'connection', state: 'idle' }, QUORUM, 'broker-unavailable'],
    ['the connection is being made', { at: 'connection', state: 'connecting' }, QUORUM, 'broker-unavailable'],
    [
      'the connection waits to be made again',
      { at: 'connection', state: 'waiting' },
      QUORUM,
      'broker-unavailable',
    ],
    ['the connection is closed', { at: 'connection', state: 'closed' }, QUORUM, 'broker-unavailable'],
    [
      'the connection is open, its channel is not',
      { at: 'connection', state: 'open' },
      QUORUM,
      'broker-unavailable',
    ],
    ['no slot came free', { at: 'window' }, QUORUM, 'gateway-busy'],
    ['the broker acks', { at: 'broker', answer: 'acked', reading: undefined }, QUORUM, 'accepted'],
    [
      'the message is returned',
      { at: 'broker', answer: 'returned', reading: undefined },
      QUORUM,
      'unroutable',
    ],
    ['the answer is lost', { at: 'broker', answer: 'lost', reading: undefined }, QUORUM, 'unknown'],
    ['the broker stays silent', { at: 'broker', answer: 'silence', reading: undefined }, QUORUM, 'unknown'],
    // trunc(0.8 x 129) = 103: a quorum queue that was full accepts again there.
    ['a quorum queue nacks above trunc(0.8 x limit)', nacked(104), QUORUM, 'queue-full'],
    [
      'a quorum queue without workers nacks at trunc(0.8 x limit)',
      nacked(103, 0),
      QUORUM,
      'broker-unavailable',
    ],
    ['a quorum queue nacks, and workers drained it before it was asked', nacked(103), QUORUM, 'queue-full'],
    ['a classic queue nacks at its limit', nacked(129), CLASSIC, 'queue-full'],
    [
      'a classic queue without workers nacks one below its limit',
      nacked(128, 0),
      CLASSIC,
      'broker-unavailable',
    ],
    ['a classic queue nacks, and workers drained it before it was asked', nacked(128), CLASSIC, 'queue-full'],
    ['a full queue without workers nacks', nacked(129, 0), QUORUM, 'queue-full'],
    ['an empty queue without workers nacks: its leader is away', nacked(0, 0), QUORUM, 'broker-unavailable'],
    ['a drop-head queue nacks, however full', nacked(500), FEED, 'broker-unavailable'],
    ['a queue nacks and cannot be read', nacked(), QUORUM, 'broker-unavailable'],
  ])('when %s', (_when, end, target, reason) => {
    expect(reasonOf(end, target)).toBe(reason);
  });

  it('tells a refused client to come back when the workers have drained the queue to where it accepts', () => {
    // (503 - 103) x 50 ms / 10 handlers
    expect(decidePublish(nacked(503), QUORUM)).toEqual({
      accepted: false,
      reason: 'queue-full',
      retryAfterMs: 2_000,
    });
  });

  it('tells nobody to come back to a queue that does not exist', () => {
    const end: PublishEnd = { at: 'broker', answer: 'returned', reading: undefined };
    expect(decidePublish(end, QUORUM)).toMatchObject({ retryAfterMs: undefined });
  });
});
