import { describe, expect, it } from '@jest/globals';
import type { ConnectionState } from '../broker/broker.port.js';
import { type EndFacts, explainEnd } from './explain-end.js';
import type { PublishEnd, PublishTarget } from './publish-decision.js';

const TARGET: PublishTarget = {
  name: 'orders',
  type: 'quorum',
  overflow: 'reject-publish',
  maxLength: 100,
  serviceTimeMs: 50,
  concurrencyTotal: 1,
};
const FACTS: EndFacts = {
  target: TARGET,
  state: { kind: 'open' },
  reading: { readyMessages: 104, consumers: 2 },
  window: { outstanding: 20, outstandingBytes: 4_096, waitMs: 50 },
  confirmTimeoutMs: 5_000,
};

describe('the explanation of a refusal', () => {
  it.each<[PublishEnd, string]>([
    [{ at: 'size', bytes: 11, maxBytes: 10 }, '11 bytes, the limit is 10'],
    [{ at: 'encoding', problem: 'TypeError: bigint' }, 'TypeError: bigint'],
    [{ at: 'gate', reason: 'queue-full' }, '104 ready, limit 100, 2 consumers'],
    [{ at: 'window' }, '20 publishes of 4096 bytes unconfirmed, waited 50 ms'],
    [{ at: 'connection', state: 'open' }, 'the channel is being opened'],
    [{ at: 'connection', state: 'idle' }, 'connection idle'],
    [{ at: 'connection', state: 'connecting' }, 'connection connecting'],
    [{ at: 'connection', state: 'closed' }, 'this process is shutting down'],
    [{ at: 'broker', answer: 'acked' }, 'stored'],
    [{ at: 'broker', answer: 'nacked' }, '104 ready, limit 100, 2 consumers'],
    [{ at: 'broker', answer: 'returned' }, 'returned by the broker: no such queue'],
    [{ at: 'broker', answer: 'lost' }, 'the connection went away before the confirm'],
    [{ at: 'broker', answer: 'blocked' }, 'the broker went into an alarm before the confirm'],
    [{ at: 'broker', answer: 'silence' }, 'no confirm within 5000 ms'],
  ])('of %j has the values it was decided by', (end, text) => {
    expect(explainEnd(end, FACTS)).toBe(text);
  });

  it.each<[PublishEnd, string]>([
    [{ at: 'gate', reason: 'broker-unavailable' }, 'it refused a publish a moment ago'],
    [{ at: 'broker', answer: 'nacked' }, 'refused, and its depth cannot be read'],
  ])('of %j says so when nobody could read the queue', (end, text) => {
    expect(explainEnd(end, { ...FACTS, reading: undefined })).toBe(text);
  });

  it('says why the broker is in an alarm, if it still is', () => {
    const end: PublishEnd = { at: 'connection', state: 'blocked' };
    const state: ConnectionState = { kind: 'blocked', reason: 'low on memory' };
    expect(explainEnd(end, { ...FACTS, state })).toBe('blocked: low on memory');
    expect(explainEnd(end, FACTS)).toBe('blocked: an alarm');
  });

  it('keeps to itself why a connection was lost: an address of ours is nothing for clients', () => {
    const reason = 'connect ECONNREFUSED 10.0.0.7:5672';
    const state: ConnectionState = { kind: 'waiting', attempt: 1, retryInMs: 100, reason };
    const end: PublishEnd = { at: 'connection', state: 'waiting' };
    expect(explainEnd(end, { ...FACTS, state })).toBe('connection lost');
  });
});
