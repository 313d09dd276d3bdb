import { drainedAtMost } from '@spillway/qos';
import type { Admission, Priority } from './admission/admission.js';
import type { Permit } from './admission/gate.js';
import type { Pass } from './admission/passes.js';
import type { BrokerConnection, OutgoingMessage, QueueReading } from './broker/broker.port.js';
import type { PublishRefusedError } from './errors/publish-refused.error.js';
import { type Refusal, type RefusalNotice, toError, toNotice } from './errors/refusal.js';
import { comeBackMs } from './publish/come-back.js';
import { explainEnd } from './publish/explain-end.js';
import {
  type AfterNack,
  decidePublish,
  type GateReason,
  type PublishDecision,
  type PublishEnd,
  type PublishTarget,
} from './publish/publish-decision.js';
import type { Publisher, PublisherOptions, PublishVia } from './publish/publisher.js';
import { Trouble } from './publish/trouble.js';
import type { Telemetry } from './telemetry/telemetry.js';

/** What a request gets before its body is read: go on, with a pass to be ended if there is one; or the refusal. */
export type Preadmission = { readonly refusal: RefusalNotice } | { readonly pass: Pass | undefined };

export interface DoorParts {
  readonly connection: BrokerConnection;
  readonly publisher: Publisher;
  readonly admission: Admission;
  readonly telemetry: Telemetry;
  readonly options: PublisherOptions;
  /** Jitter of Retry-After, [0, 1). */
  readonly random: () => number;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
}

export interface SendOptions {
  readonly priority?: Priority;
  readonly call?: PublishVia['call'];
}

type Refused = Extract<PublishDecision, { accepted: false }>;

const ORDINARY: SendOptions = {};

/**
 * The way of a message into one queue: admission, publish, decision; what the broker says goes back to admission.
 * Every refusal is decided by `decidePublish`, counted, and leaves as the same typed error or notice.
 */
export class QueueDoor {
  private gateReason: GateReason = 'queue-full';
  private readonly trouble = new Trouble();

  constructor(
    private target: PublishTarget,
    private readonly parts: DoorParts,
  ) {}

  /** The limit in force was found to be another: an operator's policy caps it, or it was changed. */
  limitChanged(maxLength: number): void {
    this.target = { ...this.target, maxLength };
    this.parts.admission.limitChanged(maxLength);
  }

  /** Resolves when stored. @throws PublishRefusedError */
  async send(message: OutgoingMessage, { priority = 'normal', call }: SendOptions = ORDINARY): Promise<void> {
    const { admission, publisher, clock } = this.parts;
    const unsendable = publisher.unsendable(message);
    if (unsendable) throw this.refuse(message.messageId, unsendable);
    if (priority === 'low') await admission.ready(priority);
    const permit = admission.enter(priority);
    if (!permit) throw this.refuse(message.messageId, this.shed);
    const sentAt = clock();
    const { isOnNewChannel } = permit;
    const end = await publisher.publish(
      message,
      call || isOnNewChannel ? { call, isOnNewChannel } : undefined,
    );
    if (end.at === 'broker' && end.answer === 'acked') return this.accepted(message, permit, sentAt);
    throw await this.refused(message, permit, end, sentAt);
  }

  /** Whether a request may go on to its publish, by what is known at this moment; nothing is asked or sent. */
  preadmit(messageId: string, priority: Priority): Preadmission {
    const unusable = this.parts.publisher.unusable;
    if (unusable) return { refusal: toNotice(this.refusalOf(messageId, unusable)) };
    const admitted = this.parts.admission.preadmit(priority);
    if (admitted !== 'shed') return { pass: admitted };
    return { refusal: toNotice(this.refusalOf(messageId, this.shed)) };
  }

  /** Low priority is shed by an open gate, too: for the queue's fill. */
  private get shed(): PublishEnd {
    return { at: 'gate', reason: this.parts.admission.isOpen ? 'queue-full' : this.gateReason };
  }

  private accepted({ messageId }: OutgoingMessage, permit: Permit, sentAt: number): void {
    const { admission, telemetry, clock } = this.parts;
    admission.accepted(permit);
    this.trouble.over();
    const confirmMs = clock() - sentAt;
    telemetry.emit('publish.accepted', { queue: this.target.name, messageId, confirmMs });
  }

  private async refused(
    { messageId }: OutgoingMessage,
    permit: Permit,
    end: PublishEnd,
    sentAt: number,
  ): Promise<PublishRefusedError> {
    const { admission } = this.parts;
    if (end.at !== 'broker' || end.answer !== 'nacked') {
      admission.inconclusive(permit, end.at === 'broker');
      return this.refuse(messageId, end);
    }
    // Shut first: what comes while we look would only be nacked too. Until then all that is known is that it was.
    if (!admission.isShut) this.gateReason = 'queue-full';
    admission.nacked(permit);
    const afterNack = await this.lookAfterNack(sentAt);
    return this.refuse(messageId, end, afterNack);
  }

  private async lookAfterNack(sentAt: number): Promise<AfterNack> {
    const { admission, clock } = this.parts;
    const reading = await admission.read();
    const elapsedMs = clock() - sentAt;
    return { reading, drainedAtMost: drainedAtMost({ ...this.target, elapsedMs }) };
  }

  /** For refusals that are not decided here: they are counted, and leave, in the same way. */
  reject(refusal: Omit<Refusal, 'queue'>): PublishRefusedError {
    return toError(this.tell({ ...refusal, queue: this.target.name }));
  }

  private tell(refusal: Refusal): Refusal {
    const { queue, messageId, reason, because: detail } = refusal;
    this.parts.telemetry.emit('publish.refused', { queue, messageId, reason, detail });
    return refusal;
  }

  private refuse(messageId: string, end: PublishEnd, afterNack?: AfterNack): PublishRefusedError {
    return toError(this.refusalOf(messageId, end, afterNack));
  }

  private refusalOf(messageId: string, end: PublishEnd, afterNack?: AfterNack): Refusal {
    const decision = decidePublish(end, this.target, afterNack);
    if (decision.accepted) throw new Error(`a publish that ended at ${end.at} was taken for accepted`);
    this.remember(decision, afterNack);
    const reading = afterNack ? afterNack.reading : this.parts.admission.lastReading;
    const because = this.explain(end, reading);
    const { name: queue } = this.target;
    const wasSilent = end.at === 'broker' && end.answer === 'silence';
    const retryAfterMs = this.comeBackAfter(decision, reading);
    return this.tell({ queue, messageId, reason: decision.reason, because, retryAfterMs, wasSilent });
  }

  /** What the gate is shut for is what the last nack was for. */
  private remember({ reason, comeBack }: Refused, afterNack: AfterNack | undefined): void {
    if (afterNack && isGateReason(reason)) this.gateReason = reason;
    if (comeBack === 'backing-off') this.trouble.seen(this.parts.clock());
  }

  private comeBackAfter({ comeBack }: Refused, reading: QueueReading | undefined): number | undefined {
    const { admission, clock, random } = this.parts;
    const troubleForMs = this.trouble.forMs(clock());
    const { demandRatio: demand } = admission;
    return comeBackMs(
      comeBack,
      this.target,
      { ready: reading?.readyMessages, demand, troubleForMs },
      random(),
    );
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

function isGateReason(reason: Refused['reason']): reason is GateReason {
  return reason === 'queue-full' || reason === 'no-workers' || reason === 'broker-unavailable';
}
