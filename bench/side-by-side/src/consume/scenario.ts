import type { QueueType } from '../broker/bench-vhost.js';
import { payloadOf } from '../payload.js';
import type { MessageCounts } from './handled-meter.js';

/** What everybody does at a time. */
export interface ConsumeScenario {
  readonly name: string;
  readonly queueType: QueueType;
  readonly prefetch: number;
}

/** NestJS's transport finds the handler by it. */
export const PATTERN = 'work';

const BODY_BYTES = 300;
/** Of each cell: the connection is new, and its prefetch is to be filled once. */
const WARM_UP_MESSAGES = 2_000;
/** About what raw amqplib handles in a second, for each prefetch from this on. */
const MESSAGES_PER_SEC = [
  { from: 500, rate: 40_000 },
  { from: 100, rate: 30_000 },
  { from: 10, rate: 15_000 },
  { from: 1, rate: 5_000 },
];

export const consumeScenariosOf = (
  queueTypes: readonly QueueType[],
  prefetches: readonly number[],
): ConsumeScenario[] =>
  queueTypes.flatMap((queueType) =>
    prefetches.map((prefetch) => ({ name: `${queueType}, prefetch ${prefetch}`, queueType, prefetch })),
  );

/** A number of messages for about so many seconds. The same for everybody, so the faster are done sooner. */
export function countsOf({ prefetch }: ConsumeScenario, seconds: number): MessageCounts {
  const rate = MESSAGES_PER_SEC.find(({ from }) => prefetch >= from)?.rate ?? 0;
  return { warmUp: WARM_UP_MESSAGES, measured: Math.round(rate * seconds) };
}

/** 300 bytes. Everybody's has the envelope that NestJS's transport needs, so that everybody decodes the same. */
export function bodyOf(): string {
  const envelope = JSON.stringify({ pattern: PATTERN, data: 0 }).length - 1;
  return JSON.stringify({ pattern: PATTERN, data: payloadOf(BODY_BYTES - envelope) });
}
