/**
 * Bounds what is published and not yet confirmed. On a quorum queue it is part of the queue's limit: the broker
 * lets through what is on its way when the queue fills. A slot is held until the broker answers, also past the
 * confirm deadline, or the bound would be a wish.
 */
export class ConfirmWindow {
  private taken = 0;
  private readonly waiters: Array<() => void> = [];
  private readonly idleListeners: Array<() => void> = [];

  /**
   * @param capacity slots, at least 1. Too low: publishes wait for each other's confirms. Too high: the queue
   *   overshoots its limit and confirms take longer.
   * @param maxWaiters publishes that may wait for a slot; those beyond are refused at once.
   */
  constructor(
    readonly capacity: number,
    private readonly maxWaiters: number,
  ) {}

  get outstanding(): number {
    return this.taken;
  }

  /** True once a slot is taken; false when none came free within `waitMs`. Take it back with `release`. */
  async acquire(waitMs: number): Promise<boolean> {
    if (this.taken < this.capacity) {
      this.taken++;
      return true;
    }
    if (this.waiters.length >= this.maxWaiters) return false;
    return this.wait(waitMs);
  }

  release(): void {
    const next = this.waiters.shift();
    if (next) {
      next();
      return;
    }
    this.taken--;
    if (this.taken === 0) for (const listener of this.idleListeners.splice(0)) listener();
  }

  /** Resolves when nothing is outstanding. */
  async idle(): Promise<void> {
    if (this.taken === 0) return;
    await new Promise<void>((resolve) => this.idleListeners.push(resolve));
  }

  private wait(waitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const take = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.waiters.splice(this.waiters.indexOf(take), 1);
        resolve(false);
      }, waitMs);
      this.waiters.push(take);
    });
  }
}
