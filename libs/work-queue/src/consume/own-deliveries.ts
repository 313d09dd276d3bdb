import type { Lane } from './delivery.js';

const CAPACITY = 10_000;

/**
 * Messages this process let go of without running them to their end: lost with a channel or given back. When one comes
 * again it has not killed anybody, since we are still here. Bounded: the oldest is forgotten first, and is then treated
 * like any message that was out before. By lane, since a copy in the due queue has the id of its original.
 */
export class OwnDeliveries {
  private readonly ids = new Set<string>();

  add(lane: Lane, messageId: string | undefined): void {
    if (messageId === undefined) return;
    this.ids.add(`${lane} ${messageId}`);
    if (this.ids.size <= CAPACITY) return;
    for (const oldest of this.ids) {
      this.ids.delete(oldest);
      return;
    }
  }

  /** Whether it was one of ours; each is asked for once. */
  take(lane: Lane, messageId: string | undefined): boolean {
    return messageId !== undefined && this.ids.delete(`${lane} ${messageId}`);
  }
}
