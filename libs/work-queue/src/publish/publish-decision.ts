import { isFull, type Overflow, type QueueType, retryAfterMs } from '@spillway/qos';
import type { ConfirmAnswer, ConnectionState, QueueReading } from '../broker/broker.port.js';
import type { RefusalReason } from '../errors/work-queue.error.js';

/** What a publisher must know of its queue. */
export interface PublishTarget {
  readonly name: string;
  readonly type: QueueType;
  readonly overflow: Overflow;
  /** Ready messages the broker lets in. */
  readonly maxLength: number;
  /** Unconfirmed publishes of this process. */
  readonly window: number;
  /** Mean service time of one job; undefined when the QoS file does not tell. */
  readonly serviceTimeMs: number | undefined;
  /** Handlers running in the whole fleet. */
  readonly concurrencyTotal: number;
}

/** Where a publish ended, as far as the process that sent it can tell. */
export type PublishEnd =
  | { readonly at: 'connection'; readonly state: ConnectionState['kind'] }
  | { readonly at: 'window' }
  | {
      readonly at: 'broker';
      readonly answer: ConfirmAnswer | 'silence';
      readonly reading: QueueReading | undefined;
    };

export type PublishDecision =
  | { readonly accepted: true }
  | { readonly accepted: false; readonly reason: RefusalReason; readonly retryAfterMs: number | undefined };

/** A slot comes free as soon as the broker answers the oldest publish. */
const BUSY_RETRY_MS = 1_000;
/** Between the broker's own restart time (3-8 s measured) and what a client will wait for. */
const BROKER_RETRY_MS = 5_000;

const ACCEPTED: PublishDecision = { accepted: true };

/**
 * The table of the gateway's answers, from what happened to what is said:
 *
 * | ended at   | because                                   | reason             | published again as new? |
 * | ---------- | ----------------------------------------- | ------------------ | ----------------------- |
 * | connection | blocked by an alarm                       | broker-alarm       | safe, nothing was sent  |
 * | connection | not open                                  | broker-unavailable | safe, nothing was sent  |
 * | window     | no slot within the wait budget            | gateway-busy       | safe, nothing was sent  |
 * | broker     | acked                                     | (accepted)         |                         |
 * | broker     | nacked; the ready count says full, or consumers may have drained it since | queue-full | safe, refused |
 * | broker     | nacked otherwise (leader away, 0 and 0)   | broker-unavailable | safe, refused           |
 * | broker     | returned                                  | unroutable         | no, a deployment error  |
 * | broker     | lost or silent: nobody knows              | unknown            | only with the same id   |
 */
export function decidePublish(end: PublishEnd, target: PublishTarget): PublishDecision {
  switch (end.at) {
    case 'connection':
      return refused(end.state === 'blocked' ? 'broker-alarm' : 'broker-unavailable', BROKER_RETRY_MS);
    case 'window':
      return refused('gateway-busy', BUSY_RETRY_MS);
    case 'broker':
      return decideAnswer(end.answer, end.reading, target);
  }
}

function decideAnswer(
  answer: ConfirmAnswer | 'silence',
  reading: QueueReading | undefined,
  target: PublishTarget,
): PublishDecision {
  switch (answer) {
    case 'acked':
      return ACCEPTED;
    case 'nacked':
      return decideNack(reading, target);
    case 'returned':
      return refused('unroutable', undefined);
    case 'lost':
    case 'silence':
      return refused('unknown', BUSY_RETRY_MS);
  }
}

/** AMQP 0-9-1 gives a nack no reason. A drop-head queue never refuses for its length. */
function decideNack(reading: QueueReading | undefined, target: PublishTarget): PublishDecision {
  if (!reading || target.overflow !== 'reject-publish' || !wasFull(reading, target))
    return refused('broker-unavailable', BROKER_RETRY_MS);
  return refused(
    'queue-full',
    retryAfterMs({
      ready: reading.readyMessages,
      maxLength: target.maxLength,
      type: target.type,
      serviceTimeMs: target.serviceTimeMs,
      concurrencyTotal: target.concurrencyTotal,
    }),
  );
}

/**
 * The ready count is read after the nack. Consumers may have drained below the limit since; without any, it says what
 * it was. A queue that cannot be asked answers 0 and 0.
 */
function wasFull({ readyMessages: ready, consumers }: QueueReading, target: PublishTarget): boolean {
  return consumers > 0 || isFull({ ready, maxLength: target.maxLength, type: target.type });
}

function refused(reason: RefusalReason, retryAfter: number | undefined): PublishDecision {
  return { accepted: false, reason, retryAfterMs: retryAfter };
}
