/** Publishes that may wait for a slot at a time, in windows: what is more is refused at once. */
const WAITERS_PER_SLOT = 10;

export interface WindowSize {
  /**
   * Unconfirmed publishes, at least 1. Too low: publishes wait for each other's confirms. Too high: a quorum queue
   * overshoots its limit and confirms take longer.
   */
  readonly messages: number;
  /** Bytes of their bodies. A message larger than that still goes when nothing else is outstanding. */
  readonly bytes: number;
}

interface Waiter {
  readonly bytes: number;
  readonly take: () => void;
}

/**
 * Bounds what is published and not yet confirmed. On a quorum queue it is part of the queue's limit: the broker
 * lets through what is on its way when the queue fills. A slot is held until the broker answers, also past the
 * confirm deadline, or the bound would be a wish. Who waits for a slot is bounded too, in number and in bytes.
 */
export class ConfirmWindow {
  private messages = 0;
  private bytes = 0;
  private waitingBytes = 0;
  private readonly waiters: Waiter[] = [];

  constructor(readonly size: WindowSize) {}

  get outstanding(): number {
    return this.messages;
  }

  get outstandingBytes(): number {
    return this.bytes;
  }

  /** Takes a slot if one is free and nobody waits for it. Give it back with `release`. */
  tryAcquire(bytes: number): boolean {
    if (this.waiters.length > 0 || !this.hasRoomFor(bytes)) return false;
    this.take(bytes);
    return true;
  }

  /** True once a slot is taken; false when none came free within `waitMs`. */
  async acquire(bytes: number, waitMs: number): Promise<boolean> {
    if (this.tryAcquire(bytes)) return true;
    if (!this.mayWait(bytes)) return false;
    return this.wait(bytes, waitMs);
  }

  /** @param bytes the same as it was acquired with */
  release(bytes: number): void {
    this.messages--;
    this.bytes -= bytes;
    this.serveWaiters();
  }

  private hasRoomFor(bytes: number): boolean {
    if (this.messages === 0) return true;
    return this.messages < this.size.messages && this.bytes + bytes <= this.size.bytes;
  }

  private mayWait(bytes: number): boolean {
    if (this.waiters.length === 0) return true;
    const { messages, bytes: maxBytes } = this.size;
    return this.waiters.length < messages * WAITERS_PER_SLOT && this.waitingBytes + bytes <= maxBytes;
  }

  private take(bytes: number): void {
    this.messages++;
    this.bytes += bytes;
  }

  private serveWaiters(): void {
    for (let next = this.waiters[0]; next && this.hasRoomFor(next.bytes); next = this.waiters[0]) {
      this.remove(next);
      this.take(next.bytes);
      next.take();
    }
  }

  private wait(bytes: number, waitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const take = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      const waiter = { bytes, take };
      const timer = setTimeout(() => {
        this.remove(waiter);
        resolve(false);
        // The one behind may be smaller.
        this.serveWaiters();
      }, waitMs);
      this.waiters.push(waiter);
      this.waitingBytes += bytes;
    });
  }

  private remove(waiter: Waiter): void {
    this.waiters.splice(this.waiters.indexOf(waiter), 1);
    this.waitingBytes -= waiter.bytes;
  }
}
