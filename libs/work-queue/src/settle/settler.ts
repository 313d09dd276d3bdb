import { setTimeout as delay } from 'node:timers/promises';
import type { IncomingMessage, OutgoingMessage } from '../broker/broker.port.js';
import { describeThrown } from '../errors/describe-thrown.js';
import { HEADERS } from '../message/headers.js';
import { InvalidMessageError } from '../errors/invalid-message.error.js';
import { PublishRefusedError } from '../errors/publish-refused.error.js';
import type { JobEnd, Telemetry } from '../telemetry/telemetry.js';

/** What settling needs of a delivery. Each answers false when its channel is gone. */
export interface Settleable {
  readonly message: IncomingMessage;
  ack(): boolean;
  giveBack(): boolean;
}

/** How work ended, as far as settling cares. */
export type SettleOutcome =
  | { readonly kind: 'succeeded'; readonly result: unknown }
  | { readonly kind: 'dead'; readonly reason: string; readonly attempts: number; readonly error: unknown }
  | { readonly kind: 'returned' };

/** Publishes a dead letter; resolves only when it is confirmed and was not returned. */
export type DeadLetterPublish = (message: OutgoingMessage) => Promise<void>;

const MAX_ERROR_CHARACTERS = 2_000;
/** While the dead-letter queue takes nothing its messages go round; this keeps that from becoming a hot loop. */
const UNSETTLED_DELAY_MS = 1_000;

/**
 * Tells the broker how a delivery ended. Nothing else settles.
 *
 * | outcome   | broker action                                                        | counted as    |
 * | --------- | -------------------------------------------------------------------- | ------------- |
 * | succeeded | ack                                                                  | succeeded     |
 * | dead      | confirmed mandatory publish to `<queue>.dead` with the reason, then ack | dead-lettered; expired, if that is the reason |
 * | returned  | basic.nack(requeue): given back without blame                        | returned      |
 * | any       | the channel died first: nothing can be said, the broker delivers again | lost        |
 *
 * When the dead letter is refused, returned or not confirmed, the original stays unacked and is given back after a
 * pause: it is never acked before its copy is safe.
 */
export class Settler {
  constructor(
    private readonly queue: string,
    private readonly publishDeadLetter: DeadLetterPublish,
    private readonly telemetry: Telemetry,
  ) {}

  async settle(
    delivery: Settleable,
    messageId: string,
    outcome: SettleOutcome,
    stopping: AbortSignal,
  ): Promise<JobEnd> {
    switch (outcome.kind) {
      case 'succeeded':
        return delivery.ack() ? 'succeeded' : 'lost';
      case 'returned':
        return delivery.giveBack() ? 'returned' : 'lost';
      case 'dead':
        return this.deadLetter(delivery, messageId, outcome, stopping);
    }
  }

  private async deadLetter(
    delivery: Settleable,
    messageId: string,
    outcome: Extract<SettleOutcome, { kind: 'dead' }>,
    stopping: AbortSignal,
  ): Promise<JobEnd> {
    try {
      await this.publishWithWhatTravels(this.toDeadLetter(delivery.message, messageId, outcome));
    } catch (error) {
      const reason = `dead letter not stored: ${error instanceof Error ? error.message : String(error)}`;
      this.telemetry.emit('settle.failed', { queue: this.queue, messageId, reason });
      await delay(UNSETTLED_DELAY_MS, undefined, { signal: stopping }).catch(() => undefined);
      return delivery.giveBack() ? 'returned' : 'lost';
    }
    if (!delivery.ack()) return 'lost';
    return outcome.reason === 'expired' ? 'expired' : 'dead-lettered';
  }

  /** Headers of other languages' clients can be such that they arrive but cannot be sent; the body matters more. */
  private async publishWithWhatTravels(deadLetter: OutgoingMessage): Promise<void> {
    try {
      await this.publishDeadLetter(deadLetter);
    } catch (error) {
      const isUnsendable = error instanceof InvalidMessageError || !(error instanceof PublishRefusedError);
      if (!isUnsendable) throw error;
      const ours = Object.entries(deadLetter.headers).filter(([name]) => name.startsWith(HEADERS.deadPrefix));
      await this.publishDeadLetter({ ...deadLetter, headers: Object.fromEntries(ours) });
    }
  }

  private toDeadLetter(
    message: IncomingMessage,
    messageId: string,
    outcome: Extract<SettleOutcome, { kind: 'dead' }>,
  ): OutgoingMessage {
    // The broker routes a message with CC to those queues as well, which it did when the original was published.
    const { CC: _routed, ...headers } = message.headers;
    return {
      queue: `${this.queue}.dead`,
      body: message.body,
      messageId,
      contentType: message.contentType,
      headers: {
        ...headers,
        [HEADERS.deadReason]: outcome.reason,
        [HEADERS.deadQueue]: this.queue,
        [HEADERS.deadError]: describeThrown(outcome.error).slice(0, MAX_ERROR_CHARACTERS),
        [HEADERS.deadAttempts]: outcome.attempts,
        [HEADERS.deadAt]: Date.now(),
      },
    };
  }
}
