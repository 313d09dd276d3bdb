import { setTimeout as delay } from 'node:timers/promises';
import type { Channel } from 'amqplib';

/** A broker that is well answers a close in milliseconds; one that is not must not keep a process from ending. */
const CLOSE_TIMEOUT_MS = 2_000;

/** n.b. the library's close waits for the broker's answer, and for ever when the connection dies before it comes. */
export async function closed(closing: Promise<void>, ended: Promise<string>): Promise<void> {
  const timer = new AbortController();
  const late = delay(CLOSE_TIMEOUT_MS, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([closing.catch(() => undefined), ended, late]);
  timer.abort();
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
