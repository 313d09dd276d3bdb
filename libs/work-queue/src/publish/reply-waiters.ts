import { setTimeout as delay } from 'node:timers/promises';
import type { IncomingReply } from '../broker/broker.port.js';

/** Why a caller stopped waiting for its reply. */
export type NoReply = 'time-is-up' | 'caller-gone' | 'reply-lost' | 'closing';

/** Why no reply can come any more. */
type NeverComes = Extract<NoReply, 'reply-lost' | 'closing'>;

interface Waiter {
  readonly arrived: (reply: IncomingReply | NeverComes) => void;
  /** The channel the reply would come to; undefined until the message is sent. */
  channel: object | undefined;
}

/** One caller that waits. */
export interface ReplyWaiter {
  readonly correlationId: string;
  /** Resolves when nobody waits any more. */
  readonly over: Promise<unknown>;
  /** The reply, if it is here already. */
  readonly reply: IncomingReply | undefined;
  onChannel(channel: object): void;
  within(waitMs: number, signal: AbortSignal | undefined): Promise<IncomingReply | NoReply>;
  /** Nobody waits any more; a reply that comes later is dropped. */
  end(): void;
}

/** Callers that wait for the result of their work. Their number is bounded; each waits as long as it said. */
export class ReplyWaiters {
  private readonly waiters = new Map<string, Waiter>();
  private isClosing = false;

  constructor(private readonly capacity: number) {}

  /** Why one more cannot wait now. */
  get refusal(): 'too-many-waiting' | 'closing' | undefined {
    if (this.isClosing) return 'closing';
    return this.waiters.size >= this.capacity ? 'too-many-waiting' : undefined;
  }

  add(correlationId: string): ReplyWaiter {
    let reply: IncomingReply | undefined;
    let arrived: Waiter['arrived'] = () => undefined;
    const answered = new Promise<IncomingReply | NeverComes>((resolve) => (arrived = resolve));
    let end: (value: unknown) => void = () => undefined;
    const over = new Promise<unknown>((resolve) => (end = resolve));
    const waiter: Waiter = { arrived, channel: undefined };
    this.waiters.set(correlationId, waiter);
    void answered.then((given) => (reply = typeof given === 'string' ? undefined : given));
    return {
      correlationId,
      over,
      get reply() {
        return reply;
      },
      onChannel: (channel) => (waiter.channel = channel),
      within: (waitMs, signal) => firstOf(answered, waitMs, signal),
      end: () => {
        this.waiters.delete(correlationId);
        end(undefined);
      },
    };
  }

  onReply(reply: IncomingReply): void {
    this.waiters.get(reply.correlationId ?? '')?.arrived(reply);
  }

  /** This process ends soon: whoever waits goes on without the result. */
  close(): void {
    this.isClosing = true;
    for (const waiter of this.waiters.values()) waiter.arrived('closing');
  }

  /** A channel is gone, and with it the replies that were to come to it. */
  onLost(channel: object): void {
    for (const waiter of this.waiters.values()) if (waiter.channel === channel) waiter.arrived('reply-lost');
  }
}

async function firstOf(
  answered: Promise<IncomingReply | NeverComes>,
  waitMs: number,
  signal: AbortSignal | undefined,
): Promise<IncomingReply | NoReply> {
  const waiting = new AbortController();
  const gone = (): void => waiting.abort();
  signal?.addEventListener('abort', gone, { once: true });
  if (signal?.aborted) gone();
  const late = delay(Math.max(0, waitMs), 'time-is-up' as const, { signal: waiting.signal }).catch(
    () => 'caller-gone' as const,
  );
  try {
    return await Promise.race([answered, late]);
  } finally {
    signal?.removeEventListener('abort', gone);
    waiting.abort();
  }
}
