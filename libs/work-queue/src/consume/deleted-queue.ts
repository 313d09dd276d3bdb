import { setTimeout as delay } from 'node:timers/promises';
import type { BrokerConnection } from '../broker/broker.port.js';

const LOOK_EVERY_MS = 50;
/** One whose name is still there after it was not deleted, or was made again at once by another process. */
const DELETED_WITHIN_MS = 2_000;

/**
 * Waits until the deletion of a queue is over, or until there plainly is none; for whoever lost a consumer on it.
 *
 * A quorum queue that is being deleted ends its processes first and loses its name later, by a transaction on the
 * broker's disk. Who consumes in between meets a process that is gone: the broker's channel crashes over it, and the
 * INTERNAL_ERROR (541) closes the connection with every other consumer on it (seen on 3.10.8 with a slow disk, once in
 * 60 deletions).
 *
 * Rejects when the signal aborts.
 */
export async function deletionOver(
  connection: Pick<BrokerConnection, 'state' | 'inspectQueue'>,
  queue: string,
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + DELETED_WITHIN_MS;
  while (connection.state.kind === 'open' && performance.now() < until) {
    // A look that fails proves nothing; the next may.
    const reading = await connection.inspectQueue(queue).catch(() => 'unknown' as const);
    if (reading === undefined || (reading !== 'unknown' && reading.consumers > 0)) return;
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}
