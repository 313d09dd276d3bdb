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
