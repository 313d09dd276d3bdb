import { describe, expect, it } from '@jest/globals';
import type { RefusalReason } from '../errors/work-queue.error.js';
import {
  type AfterNack,
  type ComeBack,
  decidePublish,
  type PublishEnd,
  type PublishTarget,
} from './publish-decision.js';

const QUORUM: PublishTarget = {
  name: 'orders',
  type: 'quorum',
  overflow: 'reject-publish',
  maxLength: 129,
  serviceTimeMs: 50,
  concurrencyTotal: 10,
};
const CLASSIC: PublishTarget = { ...QUORUM, type: 'classic' };
const FEED: PublishTarget = { ...QUORUM, overflow: 'drop-head' };

type Row = readonly [because: string, end: PublishEnd, reason: RefusalReason, comeBack: ComeBack];

/** Every row of the table in the comment of `decidePublish` but the accepted and the nacked. */
const ROWS: readonly Row[] = [
  ['the body is over the limit', { at: 'size', bytes: 11, maxBytes: 10 }, 'too-large', 'never'],
  ['AMQP cannot carry it', { at: 'encoding', problem: 'bigint' }, 'invalid-message', 'never'],
  ['the gate is shut: full', { at: 'gate', reason: 'queue-full' }, 'queue-full', 'drained'],
  ['the gate is shut: no workers', { at: 'gate', reason: 'no-workers' }, 'no-workers', 'backing-off'],
  [
    'the gate is shut: refused with room',
    { at: 'gate', reason: 'broker-unavailable' },
    'broker-unavailable',
    'backing-off',
  ],
  ['an alarm blocks', { at: 'connection', state: 'blocked' }, 'broker-alarm', 'backing-off'],
  ['it was never opened', { at: 'connection', state: 'idle' }, 'broker-unavailable', 'backing-off'],
  ['it is being made', { at: 'connection', state: 'connecting' }, 'broker-unavailable', 'backing-off'],
  ['it waits to be made again', { at: 'connection', state: 'waiting' }, 'broker-unavailable', 'backing-off'],
  ['it is closed', { at: 'connection', state: 'closed' }, 'broker-unavailable', 'backing-off'],
  ['only its channel is away', { at: 'connection', state: 'open' }, 'broker-unavailable', 'backing-off'],
  ['no slot came free', { at: 'window' }, 'gateway-busy', 'soon'],
  ['it was returned', { at: 'broker', answer: 'returned' }, 'unroutable', 'never'],
  ['the answer is lost', { at: 'broker', answer: 'lost' }, 'unknown', 'soon'],
  ['an alarm came before the answer', { at: 'broker', answer: 'blocked' }, 'unknown', 'soon'],
  ['no answer came', { at: 'broker', answer: 'silence' }, 'unknown', 'soon'],
];

describe('what a publisher says', () => {
  it.each(ROWS)('when %s (%j) is %s, come back: %s', (_because, end, reason, comeBack) => {
    expect(decidePublish(end, QUORUM)).toEqual({ accepted: false, reason, comeBack });
  });

  it('when the broker acks is accepted', () => {
    expect(decidePublish({ at: 'broker', answer: 'acked' }, QUORUM)).toEqual({ accepted: true });
  });
});

function afterNack(readyMessages: number, consumers: number, drainedAtMost = 0): AfterNack {
  return { reading: { readyMessages, consumers }, drainedAtMost };
}

function sayNacked(target: PublishTarget, found?: AfterNack): string {
  const decision = decidePublish({ at: 'broker', answer: 'nacked' }, target, found);
  return decision.accepted ? 'accepted' : `${decision.reason}, ${decision.comeBack}`;
}

const FULL = 'queue-full, drained';
const NO_WORKERS = 'no-workers, backing-off';
const UNAVAILABLE = 'broker-unavailable, backing-off';

describe('what a publisher says of a nack', () => {
  it.each<[string, PublishTarget, AfterNack | undefined, string]>([
    // A quorum queue that was full accepts again at trunc(0.8 x 129) = 103.
    ['a quorum queue above 80 % of its limit', QUORUM, afterNack(104, 1), FULL],
    ['a quorum queue at 80 % of its limit', QUORUM, afterNack(103, 1), UNAVAILABLE],
    ['a quorum queue of which workers can have taken enough', QUORUM, afterNack(100, 1, 4), FULL],
    ['a quorum queue of which workers cannot have taken enough', QUORUM, afterNack(100, 1, 3), UNAVAILABLE],
    ['a classic queue at its limit', CLASSIC, afterNack(129, 1), FULL],
    ['a classic queue with one place', CLASSIC, afterNack(128, 1), UNAVAILABLE],
    ['a classic queue with one place that a worker can have made', CLASSIC, afterNack(128, 1, 1), FULL],
    ['an empty queue whose workers may be as fast as they like', QUORUM, afterNack(0, 1, Infinity), FULL],
    ['a full queue that nobody consumes', QUORUM, afterNack(104, 0), NO_WORKERS],
    ['a queue with room of which nobody can have taken any', QUORUM, afterNack(103, 0, 50), UNAVAILABLE],
    ['a queue whose leader is away, which answers 0 and 0', QUORUM, afterNack(0, 0, 500), UNAVAILABLE],
    ['a queue that cannot be read', QUORUM, { reading: undefined, drainedAtMost: 500 }, UNAVAILABLE],
    ['a queue that nobody looked at', QUORUM, undefined, UNAVAILABLE],
    ['a drop-head queue, however full', FEED, afterNack(500, 1, 500), UNAVAILABLE],
  ])('by %s is what its fill tells', (_queue, target, found, said) => {
    expect(sayNacked(target, found)).toBe(said);
  });
});
