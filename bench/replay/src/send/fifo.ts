/** A first-in-first-out queue that shifts in constant time: `Array.shift` moves every element behind. */
export class Fifo<T> {
  private items: T[] = [];
  private head = 0;

  get size(): number {
    return this.items.length - this.head;
  }

  push(item: T): void {
    this.items.push(item);
  }

  shift(): T | undefined {
    const item = this.items[this.head];
    if (this.size > 0) this.head += 1;
    if (this.head > 1_024 && this.head * 2 > this.items.length) this.forgetShifted();
    return item;
  }

  /** Empties the queue and returns what was in it. */
  drain(): T[] {
    const rest = this.items.slice(this.head);
    this.items = [];
    this.head = 0;
    return rest;
  }

  private forgetShifted(): void {
    this.items = this.items.slice(this.head);
    this.head = 0;
  }
}
