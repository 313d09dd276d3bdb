import { setTimeout as delay } from 'node:timers/promises';
import type { OutgoingMessage } from '../broker/broker.port.js';
import { PublishRefusedError } from '../errors/publish-refused.error.js';
import type { RefusalReason } from '../errors/work-queue.error.js';
import { Pace } from './pace.js';

/**
 * Publishes to the work queue through its own gate; resolves when the broker has confirmed it.
 * @throws PublishRefusedError
 */
export type SendToQueue = (message: OutgoingMessage) => Promise<void>;

/** One letter on its way back. */
export interface Resend {
  /** The message as it is sent now; the same message id each time. */
  message(): OutgoingMessage;
  /** @throws when the letter is no longer ours to send */
  assertHeld(): void;
  /** It was refused for now and is tried again. */
  onWaiting(refusal: PublishRefusedError, forMs: number): void;
}

export type ResendEnd =
  | { readonly kind: 'stored' }
  | { readonly kind: 'aborted' }
  /** It can never be sent; others can. */
  | { readonly kind: 'unsendable'; readonly because: string };

/** A refusal that makes sense to try again says when; this is for one that does not. */
const RETRY_AFTER_MS = 1_000;

/**
 * Publishes letters one after another, not faster than the rate, each until it is stored: while the queue is full or
 * the broker away it waits as long as the refusal says.
 */
export class Resender {
  private readonly pace: Pace;

  constructor(
    private readonly send: SendToQueue,
    ratePerSec: number,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.pace = new Pace(ratePerSec);
  }

  /** @throws what would stop every other letter too: the queue does not exist, or anything but a refusal */
  async resend(letter: Resend): Promise<ResendEnd> {
    const { signal } = this;
    for (;;) {
      await this.pace.turn(signal);
      if (signal?.aborted) return { kind: 'aborted' };
      letter.assertHeld();
      const refusal = await this.refusalOf(letter.message());
      if (!refusal) return { kind: 'stored' };
      const next = afterRefusal(refusal.reason);
      if (next === 'stop') throw refusal;
      if (next === 'skip') return { kind: 'unsendable', because: refusal.message };
      const forMs = refusal.retryAfterMs ?? RETRY_AFTER_MS;
      letter.onWaiting(refusal, forMs);
      await delay(forMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private async refusalOf(message: OutgoingMessage): Promise<PublishRefusedError | undefined> {
    try {
      await this.send(message);
      return undefined;
    } catch (error) {
      if (error instanceof PublishRefusedError) return error;
      throw error;
    }
  }
}

/** What a refusal means for a redrive. After `unknown` the same id is published again: at worst it is there twice. */
function afterRefusal(reason: RefusalReason): 'again' | 'skip' | 'stop' {
  switch (reason) {
    case 'queue-full':
    case 'no-workers':
    case 'gateway-busy':
    case 'broker-unavailable':
    case 'broker-alarm':
    case 'unknown':
      return 'again';
    case 'too-large':
    case 'invalid-message':
    case 'conflict':
      return 'skip';
    case 'unroutable':
      return 'stop';
  }
}
