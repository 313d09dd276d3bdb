import { drainedAtMost } from '@spillway/qos';
import type { Priority } from './admission/admission.js';
import type { Permit } from './admission/gate.js';
import type { Pass } from './admission/passes.js';
import type { OutgoingMessage } from './broker/broker.port.js';
import type { PublishRefusedError } from './errors/publish-refused.error.js';
import { type Refusal, type RefusalNotice, toError, toNotice } from './errors/refusal.js';
import type { GateReason, PublishEnd, PublishTarget } from './publish/publish-decision.js';
import type { PublishVia } from './publish/publisher.js';
import { type RefusalParts, Refusals } from './refusals.js';

/** What a request gets before its body is read: go on, with a pass to be ended if there is one; or the refusal. */
export type Preadmission = { readonly refusal: RefusalNotice } | { readonly pass: Pass | undefined };

export interface SendOptions {
  readonly priority?: Priority;
  readonly call?: PublishVia['call'];
}

/** A message that is on its way with leave of the gate. */
interface Sent {
  readonly message: OutgoingMessage;
  readonly permit: Permit;
  readonly at: number;
}

const ORDINARY: SendOptions = {};

/**
 * The way of a message into one queue: admission, publish, decision; what the broker says goes back to admission.
 * Every refusal is decided by `decidePublish`, counted, and leaves as the same typed error or notice.
 */
export class QueueDoor {
  private readonly refusals: Refusals;
  private gateReason: GateReason = 'queue-full';

  constructor(
    private readonly target: PublishTarget,
    private readonly parts: RefusalParts,
  ) {
    this.refusals = new Refusals(target, parts);
  }

  /** The limit in force was found to be another: an operator's policy caps it, or it was changed. */
  limitChanged(maxLength: number): void {
    this.refusals.limitChanged(maxLength);
    this.parts.admission.limitChanged(maxLength);
  }

  /** Resolves when stored. @throws PublishRefusedError */
  async send(message: OutgoingMessage, { priority = 'normal', call }: SendOptions = ORDINARY): Promise<void> {
    const { admission, publisher, clock } = this.parts;
    const unsendable = publisher.unsendable(message);
    if (unsendable) throw this.refuse(message, unsendable);
    if (priority === 'low') await admission.ready(priority);
    const permit = admission.enter(priority);
    if (!permit) throw this.refuse(message, this.shed);
    const sent = { message, permit, at: clock() };
    const { isOnNewChannel } = permit;
    const via = call || isOnNewChannel ? { call, isOnNewChannel } : undefined;
    const end = await publisher.publish(message, via);
    if (end.at === 'broker' && end.answer === 'acked') return this.accepted(sent);
    throw await this.refused(sent, end);
  }

  /** Whether a request may go on to its publish, by what is known at this moment; nothing is asked or sent. */
  preadmit(messageId: string, priority: Priority): Preadmission {
    const unusable = this.parts.publisher.unusable;
    if (unusable) return { refusal: toNotice(this.refusals.of(messageId, unusable)) };
    const admitted = this.parts.admission.preadmit(priority);
    if (admitted !== 'shed') return { pass: admitted };
    return { refusal: toNotice(this.refusals.of(messageId, this.shed)) };
  }

  /** For refusals that are not decided here: they are counted, and leave, in the same way. */
  reject(refusal: Omit<Refusal, 'queue'>): PublishRefusedError {
    return toError(this.refusals.tell(refusal));
  }

  /** An open gate sheds low priority only, for the queue's fill. */
  private get shed(): PublishEnd {
    const { isOpen, lowRefusedFrom: refusedFrom } = this.parts.admission;
    return isOpen ? { at: 'low-priority', refusedFrom } : { at: 'gate', reason: this.gateReason };
  }

  private accepted({ message: { messageId }, permit, at }: Sent): void {
    const { admission, telemetry, clock } = this.parts;
    const now = clock();
    admission.accepted(permit);
    this.refusals.accepted(now);
    telemetry.emit('publish.accepted', { queue: this.target.name, messageId, confirmMs: now - at });
  }

  private refuse({ messageId }: OutgoingMessage, end: PublishEnd): PublishRefusedError {
    return toError(this.refusals.of(messageId, end));
  }

  private async refused(sent: Sent, end: PublishEnd): Promise<PublishRefusedError> {
    if (end.at === 'broker' && end.answer === 'nacked') return this.nacked(sent, end);
    this.parts.admission.inconclusive(sent.permit, end.at === 'broker');
    return this.refuse(sent.message, end);
  }

  private async nacked({ message, permit, at }: Sent, end: PublishEnd): Promise<PublishRefusedError> {
    const { admission, clock } = this.parts;
    // Shut first: what comes while we look would only be nacked too. Until then all that is known is that it was.
    if (!admission.isShut) this.gateReason = 'queue-full';
    admission.nacked(permit);
    const reading = await admission.read();
    const drained = drainedAtMost({ ...this.target, elapsedMs: clock() - at });
    const refusal = this.refusals.of(message.messageId, end, { reading, drainedAtMost: drained });
    // What the gate is shut for is what the last nack was for.
    if (isGateReason(refusal.reason)) this.gateReason = refusal.reason;
    return toError(refusal);
  }
}

function isGateReason(reason: Refusal['reason']): reason is GateReason {
  return reason === 'queue-full' || reason === 'no-workers' || reason === 'broker-unavailable';
}
