import type { IncomingMessage } from '../broker/broker.port.js';
import { describeThrown } from '../errors/describe-thrown.js';
import { InvalidMessageError } from '../errors/invalid-message.error.js';
import type { JobEnd, Telemetry } from '../telemetry/telemetry.js';
import { deadCopy, deferredCopy, retryCopy, setAsideCopy, type WorkCopy, reducedCopy } from './work-copy.js';

/** What settling needs of a delivery. Each answers false when its channel is gone. */
export interface Settleable {
  readonly message: IncomingMessage;
  /** False once its channel is gone: the broker delivers it again. */
  readonly canSettle: boolean;
  ack(): boolean;
  giveBack(): boolean;
}

/** How work ended, as far as settling cares. */
export type SettleOutcome =
  | { readonly kind: 'succeeded'; readonly result: unknown }
  | { readonly kind: 'dropped' }
  | {
      readonly kind: 'retry';
      readonly attempts: number;
      readonly delayMs: number;
      readonly error: unknown;
    }
  | { readonly kind: 'defer'; readonly delayMs: number }
  | { readonly kind: 'dead'; readonly reason: string; readonly attempts: number; readonly error: unknown }
  | { readonly kind: 'set-aside'; readonly starts: number; readonly delayMs: number }
  | { readonly kind: 'returned' };

/**
 * Stores a copy. Each resolves only when the broker has confirmed it and it was not returned, and rejects with what
 * went wrong; InvalidMessageError when AMQP cannot carry it.
 */
export interface CopyStore {
  toWait(copy: WorkCopy, delayMs: number): Promise<void>;
  toAlone(copy: WorkCopy): Promise<void>;
  toDead(copy: WorkCopy): Promise<void>;
}

/** How long what could not be stored keeps its place. */
export interface Intake {
  /** Resolves when the time has come to give the work back; the longer, the longer this has lasted. */
  unstored(): Promise<void>;
  /** A copy was stored. */
  stored(): void;
}

/**
 * Starts on record from which work runs alone. Most that comes with one was only handed out, to a worker that stopped or
 * lost its connection; run one by one, what a single worker had would hold all others up for minutes.
 */
const ALONE_FROM = 2;

const ENDS = {
  retry: 'retried',
  defer: 'deferred',
  'set-aside': 'set-aside',
  dead: 'dead-lettered',
} as const satisfies Record<string, JobEnd>;

/**
 * Tells the broker how a delivery ended. Nothing else settles.
 *
 * | outcome   | broker action                                                           | counted as    |
 * | --------- | ----------------------------------------------------------------------- | ------------- |
 * | succeeded | ack                                                                     | succeeded     |
 * | dropped   | ack                                                                     | dropped       |
 * | retry     | confirmed mandatory publish to a step of the wait ladder, then ack      | retried       |
 * | defer     | the same, with no attempt counted                                       | deferred      |
 * | set-aside | confirmed mandatory publish to a step of the wait ladder, from the second start on record to `<queue>.alone`, then ack | set-aside     |
 * | dead      | confirmed mandatory publish to `<queue>.dead` with the reason, then ack | dead-lettered; expired, if that is the reason |
 * | returned  | basic.nack(requeue): given back without blame                           | returned      |
 * | any       | the channel died first: nothing can be said, the broker delivers again  | lost          |
 *
 * The original is acked only when its copy is safe. When that is refused, returned, not confirmed in time or lost with
 * its channel, the original stays unacked and keeps its handler's place, and after a pause that grows it is given back:
 * counted as returned. The copy may have been stored nevertheless, when the answer was lost: then the work is done twice.
 */
export class Settler {
  constructor(
    private readonly queue: string,
    private readonly copies: CopyStore,
    private readonly intake: Intake,
    private readonly telemetry: Telemetry,
  ) {}

  /** Not a promise where nothing has to be waited for: most work succeeds, and there is much of it. Never rejects. */
  settle(delivery: Settleable, messageId: string, outcome: SettleOutcome): JobEnd | Promise<JobEnd> {
    switch (outcome.kind) {
      case 'succeeded':
      case 'dropped':
        return delivery.ack() ? outcome.kind : 'lost';
      case 'returned':
        return delivery.giveBack() ? 'returned' : 'lost';
      case 'retry':
      case 'defer':
      case 'dead':
      case 'set-aside':
        return this.storeAndAck(delivery, messageId, outcome);
    }
  }

  private async storeAndAck(delivery: Settleable, messageId: string, outcome: Stored): Promise<JobEnd> {
    // A copy of what comes again would be there beside it, with attempts of its own.
    if (!delivery.canSettle) return 'lost';
    try {
      await this.store(delivery.message, messageId, outcome);
    } catch (error) {
      const reason = `${NOT_STORED[outcome.kind]}: ${describeThrown(error)}`;
      this.telemetry.emit('settle.failed', { queue: this.queue, messageId, reason });
      await this.intake.unstored();
      return delivery.giveBack() ? 'returned' : 'lost';
    }
    this.intake.stored();
    if (!delivery.ack()) return 'lost';
    return outcome.kind === 'dead' && outcome.reason === 'expired' ? 'expired' : ENDS[outcome.kind];
  }

  private async store(message: IncomingMessage, messageId: string, outcome: Stored): Promise<void> {
    const copy = this.copyFor(message, messageId, outcome);
    try {
      await this.send(copy, outcome);
    } catch (error) {
      if (!(error instanceof InvalidMessageError)) throw error;
      await this.send(reducedCopy(copy), outcome);
    }
  }

  private copyFor(message: IncomingMessage, messageId: string, outcome: Stored): WorkCopy {
    switch (outcome.kind) {
      case 'retry':
        return retryCopy(message, messageId, outcome);
      case 'defer':
        return deferredCopy(message, messageId);
      case 'set-aside':
        return setAsideCopy(message, messageId, outcome.starts);
      case 'dead':
        return deadCopy(message, messageId, outcome, this.queue);
    }
  }

  private send(copy: WorkCopy, outcome: Stored): Promise<void> {
    switch (outcome.kind) {
      case 'retry':
      case 'defer':
        return this.copies.toWait(copy, outcome.delayMs);
      case 'set-aside':
        return outcome.starts >= ALONE_FROM
          ? this.copies.toAlone(copy)
          : this.copies.toWait(copy, outcome.delayMs);
      case 'dead':
        return this.copies.toDead(copy);
    }
  }
}

type Stored = Extract<SettleOutcome, { kind: keyof typeof ENDS }>;

const NOT_STORED: Record<Stored['kind'], string> = {
  retry: 'its next attempt could not be stored',
  defer: 'its next attempt could not be stored',
  'set-aside': 'it could not be set aside to run alone',
  dead: 'dead letter not stored',
};
