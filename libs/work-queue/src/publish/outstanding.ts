/** What becomes of an unanswered publish when we stop waiting for it. */
export type GivenUp = 'silence' | 'blocked';

interface Waiting<Answer> {
  readonly deadline: number;
  readonly resolve: (answer: Answer | GivenUp) => void;
}

/**
 * Callers that wait for the broker's answer, oldest first. All wait equally long, so one timer watches the oldest; a
 * timer each would cost more than the publish's own bookkeeping.
 */
export class Outstanding<Answer> {
  private readonly waiting = new Set<Waiting<Answer>>();
  private timer: NodeJS.Timeout | undefined;
  private hasGivenUp = false;

  constructor(private readonly timeoutMs: number) {}

  /** A deadline has passed, and nothing was answered since. */
  get isSilent(): boolean {
    return this.hasGivenUp;
  }

  /** `resolve` is called once: with the answer, or with why we stopped waiting. @returns how to answer */
  add(resolve: (answer: Answer | GivenUp) => void): (answer: Answer) => void {
    const waiting = { deadline: performance.now() + this.timeoutMs, resolve };
    this.waiting.add(waiting);
    if (!this.timer) this.watch(this.timeoutMs);
    return (answer) => {
      this.hasGivenUp = false;
      if (this.waiting.delete(waiting)) resolve(answer);
    };
  }

  /** The broker reads nothing any more: nobody should wait for the deadline to hear that. */
  giveUp(reason: GivenUp): void {
    const given = [...this.waiting];
    this.waiting.clear();
    for (const { resolve } of given) resolve(reason);
  }

  /** Stops the clock; who still waits is answered by whoever ends the channel. */
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
    for (const waiting of this.waiting) {
      if (waiting.deadline > now) return this.watch(Math.ceil(waiting.deadline - now));
      this.waiting.delete(waiting);
      this.hasGivenUp = true;
      waiting.resolve('silence');
    }
  }
}
