import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionState, OutgoingMessage } from './broker/broker.port.js';
import { deadLetterQueueOf, aloneQueueOf, waitQueueOf } from './broker/queue-target.js';
import { BrokerUnavailableError } from './errors/broker-unavailable.error.js';
import { InvalidMessageError } from './errors/invalid-message.error.js';
import type { PublishEnd } from './publish/publish-decision.js';
import type { Publisher } from './publish/publisher.js';
import type { CopyStore } from './settle/settler.js';
import type { WorkCopy } from './settle/work-copy.js';

export interface WorkCopiesParts {
  readonly publisher: Publisher;
  /** Makes sure that the wait queue of this step is there, and says how long to publish nothing to it. */
  readonly ensureStep: (delayMs: number) => Promise<{ readonly settleMs: number }>;
  /** How long to publish nothing: queues just made may not survive the death of their node yet. */
  readonly settleMs: number;
}

/** Stores what one queue's handler could not finish: in its wait ladder, by itself to run alone, or in its dead-letter queue. */
export class WorkCopies implements CopyStore {
  private readonly usable: Promise<void>;

  constructor(
    private readonly queue: string,
    private readonly parts: WorkCopiesParts,
  ) {
    this.usable = delay(parts.settleMs, undefined, { ref: false });
  }

  async toWait(copy: WorkCopy, delayMs: number): Promise<void> {
    const { settleMs } = await this.parts.ensureStep(delayMs);
    if (settleMs > 0) await delay(settleMs, undefined, { ref: false });
    await this.publish({ ...copy, queue: waitQueueOf(this.queue, delayMs) });
  }

  async toAlone(copy: WorkCopy): Promise<void> {
    await this.publish({ ...copy, queue: aloneQueueOf(this.queue) });
  }

  async toDead(copy: WorkCopy): Promise<void> {
    await this.publish({ ...copy, queue: deadLetterQueueOf(this.queue) });
  }

  private async publish(message: OutgoingMessage): Promise<void> {
    await this.usable;
    const end = await this.parts.publisher.publish(message);
    if (end.at === 'broker' && end.answer === 'acked') return;
    const details = { queue: message.queue, messageId: message.messageId };
    if (end.at === 'encoding') throw new InvalidMessageError(end.problem, details);
    throw new BrokerUnavailableError(`${message.queue}: ${problemOf(end)}`, details);
  }
}

function problemOf(end: Exclude<PublishEnd, { at: 'encoding' }>): string {
  switch (end.at) {
    case 'broker':
      return BROKER_PROBLEMS[end.answer];
    case 'connection':
      return connectionProblemOf(end.state);
    case 'size':
    case 'gate':
    case 'low-priority':
    case 'window':
      return `not sent (${end.at})`;
  }
}

function connectionProblemOf(state: ConnectionState['kind']): string {
  if (state === 'blocked') return 'the broker is in an alarm';
  return state === 'open' ? 'its channel is being opened' : `the connection is ${state}`;
}

const BROKER_PROBLEMS = {
  acked: 'stored',
  nacked: 'refused by the broker',
  returned: 'there is no such queue',
  lost: 'the connection went away before the confirm',
  blocked: 'the broker went into an alarm before the confirm',
  silence: 'no confirm in time',
} as const;
