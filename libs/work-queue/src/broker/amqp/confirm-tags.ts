import type { PendingPublish } from '../broker.port.js';

/**
 * Which publish a delivery tag of a confirm means: the broker numbers the publishes of a channel from 1, confirms them
 * in any order, and may confirm everything up to a tag at once. Holds what is outstanding and nothing else.
 *
 * A returned message is acked too, right after; it is told apart by its message id or, when that may repeat and another
 * message with it is outstanding, by a publish id of its own.
 */
export class ConfirmTags {
  private lastTag = 0;
  /** By delivery tag, in the order they were sent. */
  private readonly sent = new Map<number, PendingPublish>();
  /** Message ids that may repeat, of what was sent without a publish id. */
  private readonly ids = new Set<string>();
  private readonly publishIds = new Map<PendingPublish, string>();
  private readonly returnedIds = new Set<string>();
  private readonly returnedPublishIds = new Set<string>();
  private readonly idleListeners: Array<() => void> = [];

  /** What to send with the message so that its return can be told from that of another with the same id. */
  publishIdFor(messageId: string, isUnique: boolean): string | undefined {
    return !isUnique && this.ids.has(messageId) ? `${this.lastTag + 1}` : undefined;
  }

  /** To be called right after each write, and only then. */
  add(pending: PendingPublish, isUnique: boolean, publishId: string | undefined): void {
    this.sent.set(++this.lastTag, pending);
    if (publishId !== undefined) this.publishIds.set(pending, publishId);
    else if (!isUnique) this.ids.add(pending.messageId);
  }

  /** The broker had no queue for this one. */
  markReturned(messageId: string, publishId: string | undefined): void {
    if (publishId === undefined) this.returnedIds.add(messageId);
    else this.returnedPublishIds.add(publishId);
  }

  confirmed(tag: number, isMultiple: boolean, answer: 'acked' | 'nacked'): void {
    if (isMultiple) this.settleUpTo(tag, answer);
    else this.settle(tag, answer);
    if (this.sent.size === 0) this.becameIdle();
  }

  /** The channel is gone, and the answers with it. */
  lose(): void {
    const lost = [...this.sent.values()];
    this.sent.clear();
    this.ids.clear();
    this.publishIds.clear();
    this.returnedIds.clear();
    this.returnedPublishIds.clear();
    for (const pending of lost) pending.answered('lost');
    this.becameIdle();
  }

  /** Resolves when nothing is outstanding. */
  async idle(): Promise<void> {
    if (this.sent.size === 0) return;
    await new Promise<void>((resolve) => this.idleListeners.push(resolve));
  }

  private settleUpTo(last: number, answer: 'acked' | 'nacked'): void {
    for (const tag of this.sent.keys()) {
      if (tag > last) return;
      this.settle(tag, answer);
    }
  }

  private settle(tag: number, answer: 'acked' | 'nacked'): void {
    const pending = this.sent.get(tag);
    if (!pending) return;
    this.sent.delete(tag);
    pending.answered(this.wasReturned(pending) ? 'returned' : answer);
  }

  private wasReturned(pending: PendingPublish): boolean {
    const publishId = this.publishIds.size > 0 ? this.publishIds.get(pending) : undefined;
    if (publishId !== undefined) {
      this.publishIds.delete(pending);
      return this.returnedPublishIds.delete(publishId);
    }
    const { messageId } = pending;
    if (this.ids.size > 0) this.ids.delete(messageId);
    return this.returnedIds.size > 0 && this.returnedIds.delete(messageId);
  }

  private becameIdle(): void {
    if (this.idleListeners.length === 0) return;
    for (const listener of this.idleListeners.splice(0)) listener();
  }
}
