import type { Channel } from 'amqplib';
import { withinDeadline } from '../../timing/within-deadline.js';

/** A broker that is well answers a close in milliseconds; one that is not must not keep a process from ending. */
const CLOSE_TIMEOUT_MS = 2_000;

/** n.b. the library's close waits for the broker's answer, and for ever when the connection dies before it comes. */
export async function closed(closing: Promise<void>, ended: Promise<string>): Promise<void> {
  const isOver = Promise.race([closing.catch(() => undefined), ended]);
  await withinDeadline<unknown>(isOver, CLOSE_TIMEOUT_MS, undefined);
}

/**
 * Every channel needs an 'error' listener: without one its error takes the whole connection down. The end of the
 * connection is watched too: in one segment with the answer to the open, it comes before these listeners.
 */
export function whenClosed(
  channel: Channel,
  connectionEnded: Promise<string>,
  onEnd: () => void,
): Promise<string> {
  return new Promise((resolve) => {
    const end = (reason: string): void => {
      onEnd();
      resolve(reason);
    };
    channel.on('error', (error) => end(error.message));
    channel.on('close', () => end('channel closed'));
    void connectionEnded.then(end);
  });
}
