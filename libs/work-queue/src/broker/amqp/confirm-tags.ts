import type { ConfirmAnswer } from '../broker.port.js';

/** Called once, with what became of one publish. */
export type OnAnswer = (answer: ConfirmAnswer) => void;

interface Waiting {
  readonly publishId: string;
  readonly onAnswer: OnAnswer;
}

/**
 * Which publish a delivery tag of a confirm means: the broker numbers the publishes of a channel from 1, confirms them
 * in any order, and may confirm everything up to a tag at once. Holds what is outstanding and nothing else; a message
 * that was returned is told apart by its publish id, because the broker acks it too, right after.
 */
export class ConfirmTags {
  private lastTag = 0;
  private oldestTag = 1;
  private readonly waiting = new Map<number, Waiting>();
  private readonly returnedIds = new Set<string>();

  get nextPublishId(): string {
    return String(this.lastTag + 1);
  }

  /** To be called right after each write, and only then. */
  sent(onAnswer: OnAnswer): void {
    const publishId = this.nextPublishId;
    this.waiting.set(++this.lastTag, { publishId, onAnswer });
  }

  returned(publishId: string): void {
    this.returnedIds.add(publishId);
  }

  confirmed(tag: number, isMultiple: boolean, answer: 'acked' | 'nacked'): void {
    if (!isMultiple) return this.settle(tag, answer);
    while (this.oldestTag <= tag) this.settle(this.oldestTag++, answer);
  }

  /** The channel is gone, and the answers with it. */
  lose(): void {
    const lost = [...this.waiting.values()];
    this.waiting.clear();
    this.returnedIds.clear();
    for (const { onAnswer } of lost) onAnswer('lost');
  }

  private settle(tag: number, answer: 'acked' | 'nacked'): void {
    const waiting = this.waiting.get(tag);
    if (!waiting) return;
    this.waiting.delete(tag);
    const wasReturned = this.returnedIds.size > 0 && this.returnedIds.delete(waiting.publishId);
    waiting.onAnswer(wasReturned ? 'returned' : answer);
  }
}
