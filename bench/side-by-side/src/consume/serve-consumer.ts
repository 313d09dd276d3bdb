import { setTimeout as delay } from 'node:timers/promises';
import { answerParent } from '../process/answer-parent.js';
import type { ConsumeTarget, StartConsumer } from './consume-client.js';
import { HandledMeter, type HandledSpan, type MessageCounts } from './handled-meter.js';

/** One cell: connect, consume, disconnect. */
export interface ConsumeQuestion {
  readonly target: ConsumeTarget;
  readonly counts: MessageCounts;
}

export interface ConsumeAnswer {
  /** How often the handler was called, to the very end. */
  readonly handled: number;
  /** Undefined when the last message did not come within a minute. */
  readonly span: HandledSpan | undefined;
}

const GIVE_UP_AFTER_MS = 60_000;
/**
 * After the span: the broker forgets acks that it has received but not yet handed to a quorum queue when their channel
 * closes (rabbitmq-server#10327), whoever sent them; without a pause hundreds come back.
 */
const UNTIL_ACKS_ARE_TAKEN_MS = 250;

/** All that a client's process does, cell after cell. */
export function serveConsumer(start: StartConsumer): void {
  answerParent<ConsumeQuestion, ConsumeAnswer>(async ({ target, counts }) => {
    const meter = new HandledMeter(counts);
    const client = await start(target, () => meter.handled());
    try {
      await finishedOrTooLate(meter);
      await delay(UNTIL_ACKS_ARE_TAKEN_MS);
    } finally {
      await client.close();
    }
    return { handled: meter.handledCount, span: meter.span };
  });
}

async function finishedOrTooLate(meter: HandledMeter): Promise<void> {
  const waiting = new AbortController();
  const tooLate = delay(GIVE_UP_AFTER_MS, undefined, { signal: waiting.signal }).catch(() => undefined);
  await Promise.race([meter.finished, tooLate]);
  waiting.abort();
}
