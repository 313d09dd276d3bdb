import type { DueAttempt } from './delivery.js';

/** Attempts in the order they become due: a binary heap, so that one timer serves any number of retries. */
export class RetryQueue {
  private heap: DueAttempt[] = [];

  /** Infinity when nothing is waiting. */
  get nextDueAtMs(): number {
    return this.dueAtMs(0);
  }

  push(attempt: DueAttempt): void {
    let index = this.heap.push(attempt) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.dueAtMs(parent) <= this.dueAtMs(index)) return;
      this.swap(parent, index);
      index = parent;
    }
  }

  /** The earliest attempt if it is due, otherwise undefined. */
  popDue(nowMs: number): DueAttempt | undefined {
    if (this.nextDueAtMs > nowMs) return undefined;
    this.swap(0, this.heap.length - 1);
    const earliest = this.heap.pop();
    this.sinkRoot();
    return earliest;
  }

  drain(): DueAttempt[] {
    const rest = this.heap;
    this.heap = [];
    return rest;
  }

  private sinkRoot(): void {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const smaller = this.dueAtMs(left + 1) < this.dueAtMs(left) ? left + 1 : left;
      if (this.dueAtMs(smaller) >= this.dueAtMs(index)) return;
      this.swap(index, smaller);
      index = smaller;
    }
  }

  private dueAtMs(index: number): number {
    return this.heap[index]?.dueAtMs ?? Number.POSITIVE_INFINITY;
  }

  private swap(a: number, b: number): void {
    const [first, second] = [this.heap[a], this.heap[b]];
    if (first === undefined || second === undefined) return;
    this.heap[a] = second;
    this.heap[b] = first;
  }
}
