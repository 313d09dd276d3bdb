import { isFull, type Overflow, type QueueType } from '@spillway/qos';
import type { ConfirmAnswer, ConnectionState, QueueReading } from '../broker/broker.port.js';
import type { RefusalReason } from '../errors/work-queue.error.js';

/** What a publisher must know of its queue. */
export interface PublishTarget {
  readonly name: string;
  readonly type: QueueType;
  readonly overflow: Overflow;
  /** Ready messages the broker lets in. */
  readonly maxLength: number;
  /** Mean service time of one job; undefined when the QoS file does not tell. */
  readonly serviceTimeMs: number | undefined;
  /** Handlers running in the whole fleet. */
  readonly concurrencyTotal: number;
}

/** Where a publish ended, as far as the process that sent it can tell. */
export type PublishEnd =
  | { readonly at: 'size'; readonly bytes: number; readonly maxBytes: number }
  | { readonly at: 'encoding'; readonly problem: string }
  | { readonly at: 'gate'; readonly reason: GateReason }
  | { readonly at: 'low-priority'; readonly refusedFrom: number }
  | { readonly at: 'connection'; readonly state: ConnectionState['kind'] }
  | { readonly at: 'window' }
  | { readonly at: 'broker'; readonly answer: ConfirmAnswer | 'silence' | 'blocked' };

/** What the gate can be shut for. */
export type GateReason = 'queue-full' | 'no-workers' | 'broker-unavailable';

/** What was found at the queue right after a nack. */
export interface AfterNack {
  readonly reading: QueueReading | undefined;
  /** Messages that the workers can have taken between the publish and the reading. */
  readonly drainedAtMost: number;
}

export type PublishDecision =
  | { readonly accepted: true }
  | { readonly accepted: false; readonly reason: RefusalReason; readonly comeBack: ComeBack };

/** When trying again makes sense: once the queue has drained, soon, the later the longer it lasts, or never. */
export type ComeBack = 'drained' | 'soon' | 'backing-off' | 'never';

const ACCEPTED: PublishDecision = { accepted: true };

/**
 * The table of the gateway's answers, from what happened to what is said:
 *
 * | ended at   | because                                    | reason             | published again as new? |
 * | ---------- | ------------------------------------------ | ------------------ | ----------------------- |
 * | size       | body over the limit                        | too-large          | no, it will never fit   |
 * | encoding   | AMQP cannot carry it                       | invalid-message    | no, a defect            |
 * | gate       | shut: the queue was full a moment ago      | queue-full, or no-workers | safe, nothing was sent |
 * | gate       | shut: the broker refused a queue with room | broker-unavailable | safe, nothing was sent  |
 * | low-priority | its share of the queue is full           | queue-full         | safe, nothing was sent  |
 * | connection | blocked by an alarm                        | broker-alarm       | safe, nothing was sent  |
 * | connection | not open                                   | broker-unavailable | safe, nothing was sent  |
 * | window     | no slot within the wait budget             | gateway-busy       | safe, nothing was sent  |
 * | broker     | acked                                      | (accepted)         |                         |
 * | broker     | nacked; the ready count says full          | queue-full; no-workers if none consumes | safe, refused |
 * | broker     | nacked otherwise (leader away, 0 and 0)    | broker-unavailable | safe, refused           |
 * | broker     | returned                                   | unroutable         | no, a deployment error  |
 * | broker     | lost, blocked or silent: nobody knows      | unknown            | only with the same id   |
 */
export function decidePublish(
  end: PublishEnd,
  target: PublishTarget,
  afterNack: AfterNack = NOTHING_READ,
): PublishDecision {
  switch (end.at) {
    case 'size':
      return refused('too-large', 'never');
    case 'encoding':
      return refused('invalid-message', 'never');
    case 'gate':
      return refused(end.reason, end.reason === 'queue-full' ? 'drained' : 'backing-off');
    case 'low-priority':
      return refused('queue-full', 'drained');
    case 'connection':
      return refused(end.state === 'blocked' ? 'broker-alarm' : 'broker-unavailable', 'backing-off');
    case 'window':
      return refused('gateway-busy', 'soon');
    case 'broker':
      return decideAnswer(end.answer, target, afterNack);
  }
}

const NOTHING_READ: AfterNack = { reading: undefined, drainedAtMost: 0 };

function decideAnswer(
  answer: ConfirmAnswer | 'silence' | 'blocked',
  target: PublishTarget,
  afterNack: AfterNack,
): PublishDecision {
  switch (answer) {
    case 'acked':
      return ACCEPTED;
    case 'nacked':
      return decideNack(target, afterNack);
    case 'returned':
      return refused('unroutable', 'never');
    case 'lost':
    case 'blocked':
    case 'silence':
      return refused('unknown', 'soon');
  }
}

/**
 * AMQP 0-9-1 gives a nack no reason. A drop-head queue never refuses for its length, and one that cannot be asked
 * answers 0 and 0. The ready count is read after the nack; workers may have taken some since, and nobody else.
 */
function decideNack(target: PublishTarget, { reading, drainedAtMost }: AfterNack): PublishDecision {
  if (!reading || target.overflow !== 'reject-publish') return refused('broker-unavailable', 'backing-off');
  const { readyMessages: ready, consumers } = reading;
  const { maxLength, type } = target;
  if (!isFull({ ready, maxLength, type, drainedAtMost: consumers > 0 ? drainedAtMost : 0 }))
    return refused('broker-unavailable', 'backing-off');
  return consumers > 0 ? refused('queue-full', 'drained') : refused('no-workers', 'backing-off');
}

function refused(reason: RefusalReason, comeBack: ComeBack): PublishDecision {
  return { accepted: false, reason, comeBack };
}
