import { formatDuration } from '@spillway/qos';

export type QueueType = 'quorum' | 'classic';

/** What a full queue does: refuse the new message (work), or drop its oldest one (a feed). */
type WantedOverflow = 'reject-publish' | 'drop-head';

/** The queue the QoS file asks for. */
export interface QueueTarget {
  readonly name: string;
  readonly type: QueueType;
  /** Fixed when the queue is created. */
  readonly overflow: WantedOverflow;
  /** Ready messages the queue may hold, 1 or more. */
  readonly maxLength: number;
  /** Priority of our policies; must be above that of every other policy that matches. @default 100 */
  readonly policyPriority?: number;
}

export function deadLetterQueueOf(queue: string): string {
  return `${queue}.dead`;
}

/** Where work goes when its wait is over: not back into the bounded queue, which may be full by then. */
export function dueQueueOf(queue: string): string {
  return `${queue}.due`;
}

/** Work that may have killed its process. By itself, so that one message of it at a time is out with a worker. */
export function aloneQueueOf(queue: string): string {
  return `${queue}.alone`;
}

/** Where work waits for its next attempt, all of it equally long: `orders.wait.500ms`, `orders.wait.2m`. */
export function waitQueueOf(queue: string, stepMs: number): string {
  return `${queue}.wait.${formatDuration(stepMs)}`;
}
