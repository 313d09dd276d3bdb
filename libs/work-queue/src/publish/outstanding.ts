import type { ConfirmAnswer, PendingPublish } from '../broker/broker.port.js';

/** The broker's answer, or why we stopped waiting for it. */
export type WaitEnd = ConfirmAnswer | 'silence' | 'blocked';

/** One publish that the broker has not answered. */
export interface OutstandingPublish extends PendingPublish {
  readonly bytes: number;
  /** Milliseconds, as `performance.now` counts them. */
  readonly deadline: number;
  /** Called once: with the answer, or with why we stopped waiting. */
  resolve(end: WaitEnd): void;
}

/**
 * Callers that wait for the broker's answer, oldest first. All wait equally long, so one timer watches the oldest; a
 * timer each would cost more than the rest of a publish's bookkeeping.
 */
export class Outstanding {
  private readonly waiting = new Set<OutstandingPublish>();
  private timer: NodeJS.Timeout | undefined;
  private hasGivenUp = false;
  private readonly idleListeners: Array<() => void> = [];

  /** @param timeoutMs by which the deadline of each is later than when it is added */
  constructor(private readonly timeoutMs: number) {}

  /** A deadline has passed, and nothing was answered since. */
  get isSilent(): boolean {
    return this.hasGivenUp;
  }

  add(publish: OutstandingPublish): void {
    this.waiting.add(publish);
    if (!this.timer) this.watch(this.timeoutMs);
  }

  settle(publish: OutstandingPublish, answer: ConfirmAnswer): void {
    this.hasGivenUp = false;
    if (this.waiting.delete(publish)) publish.resolve(answer);
    if (this.waiting.size === 0) this.becameIdle();
  }

  /** It was never sent. */
  forget(publish: OutstandingPublish): void {
    this.waiting.delete(publish);
    if (this.waiting.size === 0) this.becameIdle();
  }

  /** Resolves when nobody waits any more. */
  async idle(): Promise<void> {
    if (this.waiting.size === 0) return;
    await new Promise<void>((resolve) => this.idleListeners.push(resolve));
  }

  /** The broker reads nothing any more: nobody should wait for the deadline to hear that. */
  giveUp(): void {
    const given = [...this.waiting];
    this.waiting.clear();
    for (const publish of given) publish.resolve('blocked');
    this.becameIdle();
  }

  /** Stops the clock; who still waits is answered when its channel ends. */
  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private watch(delayMs: number): void {
    this.timer = setTimeout(() => this.look(), delayMs);
  }

  private look(): void {
    const now = performance.now();
    this.timer = undefined;
    for (const publish of this.waiting) {
      if (publish.deadline > now) return this.watch(Math.ceil(publish.deadline - now));
      this.waiting.delete(publish);
      this.hasGivenUp = true;
      publish.resolve('silence');
    }
    this.becameIdle();
  }

  private becameIdle(): void {
    if (this.idleListeners.length === 0) return;
    for (const listener of this.idleListeners.splice(0)) listener();
  }
}
