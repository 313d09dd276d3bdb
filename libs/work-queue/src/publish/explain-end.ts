import { reopenLength } from '@spillway/qos';
import type { ConnectionState, QueueReading } from '../broker/broker.port.js';
import type { PublishEnd, PublishTarget } from './publish-decision.js';

export interface EndFacts {
  readonly target: PublishTarget;
  readonly state: ConnectionState;
  readonly reading: QueueReading | undefined;
  readonly window: {
    readonly outstanding: number;
    readonly outstandingBytes: number;
    readonly waitMs: number;
  };
  readonly confirmTimeoutMs: number;
}

/** Why a publish ended so, with the values it was decided by. Clients get to read it: no address, no secret. */
export function explainEnd(end: PublishEnd, facts: EndFacts): string {
  switch (end.at) {
    case 'size':
      return `${end.bytes} bytes, the limit is ${end.maxBytes}`;
    case 'encoding':
      return end.problem;
    case 'gate':
      return facts.reading ? explainReading(facts) : 'it refused a publish a moment ago';
    case 'low-priority':
      return `${explainReading(facts)}; low priority is refused from ${end.refusedFrom} on`;
    case 'connection':
      return explainConnection(end.state, facts.state);
    case 'window': {
      const { outstanding, outstandingBytes, waitMs } = facts.window;
      return `${outstanding} publishes of ${outstandingBytes} bytes unconfirmed, waited ${waitMs} ms`;
    }
    case 'broker':
      return explainAnswer(end.answer, facts);
  }
}

function explainAnswer(answer: Extract<PublishEnd, { at: 'broker' }>['answer'], facts: EndFacts): string {
  switch (answer) {
    case 'acked':
      return 'stored';
    case 'nacked':
      return explainReading(facts);
    case 'returned':
      return 'returned by the broker: no such queue';
    case 'lost':
      return 'the connection went away before the confirm';
    case 'blocked':
      return 'the broker went into an alarm before the confirm';
    case 'silence':
      return `no confirm within ${facts.confirmTimeoutMs} ms`;
  }
}

function explainReading({ reading, target }: EndFacts): string {
  if (!reading) return 'refused, and its depth cannot be read';
  const { readyMessages: ready, consumers } = reading;
  const { maxLength, type } = target;
  const facts = `${ready} ready, limit ${maxLength}, ${consumers} consumers`;
  // Otherwise a quorum queue on its way down looks as if it lied.
  const reopensAt = reopenLength(maxLength, type);
  const isBetween = type === 'quorum' && ready > reopensAt && ready < maxLength;
  return isBetween ? `${facts}; once full it takes work again at ${reopensAt}` : facts;
}

function explainConnection(kind: ConnectionState['kind'], state: ConnectionState): string {
  switch (kind) {
    case 'closed':
      return 'this process is shutting down';
    case 'blocked':
      return `blocked: ${state.kind === 'blocked' ? state.reason : 'an alarm'}`;
    case 'open':
      return 'the channel is being opened';
    case 'waiting':
      // Why is in the log; an address of ours is nothing for the clients who get to read this.
      return 'connection lost';
    case 'idle':
    case 'connecting':
      return `connection ${kind}`;
  }
}
