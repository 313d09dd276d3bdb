export type QueueType = 'quorum' | 'classic';

/** RabbitMQ's own constant (`LOW_LIMIT` in rabbit_fifo.hrl): a full quorum queue reopens at this share. */
const QUORUM_REOPEN_RATIO = 0.8;

/**
 * The number of ready messages at which a full queue accepts again.
 *
 * A quorum queue has hysteresis: once full it rejects until ready <= trunc(0.8 x max-length). A classic queue
 * takes a message as soon as one place is free.
 */
export function reopenLength(maxLength: number, type: QueueType): number {
  return type === 'quorum' ? Math.trunc(QUORUM_REOPEN_RATIO * maxLength) : maxLength - 1;
}

export interface Fill {
  /** Ready messages: waiting in the queue, not those handed to a worker. */
  readonly ready: number;
  readonly maxLength: number;
  readonly type: QueueType;
}

/** Ready messages that have to go before a full queue accepts again. */
export function excess({ ready, maxLength, type }: Fill): number {
  return Math.max(0, ready - reopenLength(maxLength, type));
}

export interface RefusedFill extends Fill {
  /** Messages that workers can have taken out between the publish and the reading of `ready`. @default 0 */
  readonly drainedAtMost?: number;
}

/**
 * Whether a nack at this fill means "full"; if not, the broker had another reason, such as a lost leader.
 *
 * Full is where the queue would have refused with everything still in it that can have been drained since.
 */
export function isFull({ ready, maxLength, type, drainedAtMost = 0 }: RefusedFill): boolean {
  return ready + drainedAtMost > reopenLength(maxLength, type);
}
