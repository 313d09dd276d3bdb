import { probeDelayMs, type QueueType } from '@spillway/qos';
import type { QueueReading } from '../broker/broker.port.js';
import { Demand } from './demand.js';
import { FillGauge } from './fill-gauge.js';
import { Gate, type Permit } from './gate.js';
import { type Pass, Passes } from './passes.js';

/** `low` work is shed from a lower fill, so that it never costs the rest its place. */
export type Priority = 'normal' | 'low';

/** What admission must know of its queue. */
export interface AdmissionRules {
  readonly type: QueueType;
  /** The limit in force. */
  readonly maxLength: number;
  readonly window: number;
  readonly serviceTimeMs: number | undefined;
  readonly concurrencyTotal: number;
  /** Share of `maxLength` from which `low` work is shed. */
  readonly shedLowAt: number;
}

/** For low priority the queue is looked at anew unless the last look is younger. */
const LOOK_MAX_AGE_MS = 5;
/**
 * A look of this age is good enough to refuse by: before the body is read, when there is no time for one, and for the
 * last of many that shared one, whose turn comes when the rest have been sent.
 */
const USABLE_LOOK_MAX_AGE_MS = 50;

/** Stage 1 of one queue: who may publish now. It decides on what the broker said last, and sends nothing itself. */
export class Admission {
  private readonly gate: Gate;
  private readonly passes = new Passes();
  private readonly demand = new Demand();
  private readonly gauge: FillGauge;

  /** @param look reads the queue; must not reject, undefined when it cannot be read */
  constructor(
    private rules: AdmissionRules,
    look: () => Promise<QueueReading | undefined>,
    private readonly clock: () => number,
  ) {
    this.gate = new Gate(rules.window, rules.type === 'quorum');
    this.gauge = new FillGauge(look, clock);
  }

  /** Offered / accepted lately, at least 1; undefined when nothing was accepted. */
  get demandRatio(): number | undefined {
    return this.demand.ratio(this.clock());
  }

  get lastReading(): QueueReading | undefined {
    return this.gauge.lastReading;
  }

  get isShut(): boolean {
    return this.gate.isShut;
  }

  /** Ready messages from which low priority is shed. */
  get lowRefusedFrom(): number {
    const { shedLowAt, maxLength } = this.rules;
    return Math.max(1, Math.floor(shedLowAt * maxLength));
  }

  /** Neither shut nor opening slowly. */
  get isOpen(): boolean {
    return this.gate.isOpen;
  }

  limitChanged(maxLength: number): void {
    this.rules = { ...this.rules, maxLength };
  }

  /** Looks at the queue as it is after this moment. */
  read(): Promise<QueueReading | undefined> {
    return this.gauge.readAnew();
  }

  /** Low priority first looks how full the queue is. */
  async ready(priority: Priority): Promise<void> {
    if (priority === 'low' && this.gauge.readyWithin(LOOK_MAX_AGE_MS) === undefined) await this.gauge.read();
  }

  /** Undefined: shed. A permit is ended exactly once, by one of the three below. */
  enter(priority: Priority): Permit | undefined {
    const now = this.clock();
    this.demand.offered(now);
    if (priority === 'low' && this.isTooFullForLow()) return undefined;
    const permit = this.gate.enter(now);
    if (!permit) return undefined;
    if (permit.isProbe) this.passes.probed();
    this.gauge.countLetIn();
    return permit;
  }

  /** Before the body is read: `shed`, or go on, with a pass to be ended if the gate is shut. */
  preadmit(priority: Priority): 'shed' | Pass | undefined {
    const now = this.clock();
    if (priority === 'low' && this.isTooFullForLow()) return this.shedEarly(now);
    if (this.gate.isTaken) return this.shedEarly(now);
    if (!this.gate.isShut) return undefined;
    const pass = this.gate.isProbeDue(now) ? this.passes.take(now) : undefined;
    return pass ?? this.shedEarly(now);
  }

  accepted(permit: Permit): void {
    this.demand.accepted(this.clock());
    this.gate.accepted(permit);
  }

  /** Sheds from now on; `read` tells more, but takes its time. */
  nacked(permit: Permit): void {
    if (!this.gate.isShut) this.gauge.forget();
    this.gate.shut(permit, this.clock(), this.probeDelay());
  }

  /** @param wasSent false: it cost the broker nothing, and the next may probe at once */
  inconclusive(permit: Permit, wasSent: boolean): void {
    this.gate.inconclusive(permit, this.clock(), wasSent ? this.probeDelay() : 0);
  }

  private shedEarly(now: number): 'shed' {
    this.demand.offered(now);
    return 'shed';
  }

  private isTooFullForLow(): boolean {
    const ready = this.gauge.readyWithin(USABLE_LOOK_MAX_AGE_MS);
    return ready !== undefined && ready >= this.lowRefusedFrom;
  }

  private probeDelay(): number {
    const { type, maxLength, serviceTimeMs, concurrencyTotal } = this.rules;
    const ready = this.gauge.lastReading?.readyMessages ?? maxLength;
    return probeDelayMs({ type, ready, maxLength, serviceTimeMs, concurrencyTotal });
  }
}
