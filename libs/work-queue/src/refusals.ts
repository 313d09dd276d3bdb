import type { Admission } from './admission/admission.js';
import type { BrokerConnection, QueueReading } from './broker/broker.port.js';
import type { Refusal } from './errors/refusal.js';
import { comeBackMs } from './publish/come-back.js';
import { explainEnd } from './publish/explain-end.js';
import {
  type AfterNack,
  decidePublish,
  type PublishDecision,
  type PublishEnd,
  type PublishTarget,
} from './publish/publish-decision.js';
import type { Publisher, PublisherOptions } from './publish/publisher.js';
import { Trouble } from './publish/trouble.js';
import type { Telemetry } from './telemetry/telemetry.js';

export interface RefusalParts {
  readonly connection: BrokerConnection;
  readonly publisher: Publisher;
  readonly admission: Admission;
  readonly telemetry: Telemetry;
  readonly options: PublisherOptions;
  /** The limit in force may be another than the one that is known here. */
  readonly limitDoubted: () => void;
  /** Jitter of Retry-After, [0, 1). */
  readonly random: () => number;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
}

type ComeBack = Extract<PublishDecision, { accepted: false }>['comeBack'];

/** Makes a refusal of one queue out of how a publish ended: why, in words, and when to come back. Each is counted once. */
export class Refusals {
  private readonly trouble = new Trouble();
  private lastAcceptedAt: number;

  constructor(
    private target: PublishTarget,
    private readonly parts: RefusalParts,
  ) {
    this.lastAcceptedAt = parts.clock();
  }

  limitChanged(maxLength: number): void {
    this.target = { ...this.target, maxLength };
  }

  /** Something was accepted: whatever was wrong is over. */
  accepted(now: number): void {
    this.lastAcceptedAt = now;
    this.trouble.over();
  }

  of(messageId: string, end: PublishEnd, afterNack?: AfterNack): Refusal {
    const decision = decidePublish(end, this.target, afterNack);
    if (decision.accepted) throw new Error(`a publish that ended at ${end.at} was taken for accepted`);
    const { reason, comeBack } = decision;
    if (comeBack === 'backing-off') this.trouble.seen(this.parts.clock());
    // A nack of a queue with room, and room that is not used: either may be for a limit that was changed by hand.
    if ((afterNack && reason === 'broker-unavailable') || end.at === 'low-priority')
      this.parts.limitDoubted();
    const reading = afterNack ? afterNack.reading : this.parts.admission.lastReading;
    const because = this.explain(end, reading);
    const retryAfterMs = this.retryAfterMs(comeBack, reading);
    const wasSilent = end.at === 'broker' && end.answer === 'silence';
    return this.tell({ messageId, reason, because, retryAfterMs, wasSilent });
  }

  /** For refusals that were decided elsewhere: they are counted in the same way. */
  tell(refusal: Omit<Refusal, 'queue'>): Refusal {
    const { messageId, reason, because: detail } = refusal;
    const queue = this.target.name;
    this.parts.telemetry.emit('publish.refused', { queue, messageId, reason, detail });
    return { ...refusal, queue };
  }

  private retryAfterMs(comeBack: ComeBack, reading: QueueReading | undefined): number | undefined {
    const { admission, clock, random } = this.parts;
    const now = clock();
    const facts = {
      ready: reading?.readyMessages,
      demand: admission.demandRatio,
      troubleForMs: this.trouble.forMs(now),
      lastAcceptedMs: now - this.lastAcceptedAt,
    };
    return comeBackMs(comeBack, this.target, facts, random());
  }

  private explain(end: PublishEnd, reading: QueueReading | undefined): string {
    const { connection, publisher, options } = this.parts;
    const { outstanding, outstandingBytes } = publisher.window;
    return explainEnd(end, {
      target: this.target,
      state: connection.state,
      reading,
      window: { outstanding, outstandingBytes, waitMs: options.slotWaitMs },
      confirmTimeoutMs: options.confirmTimeoutMs,
    });
  }
}
