/**
 * Which deliveries of one channel are unfinished, and which acks of the others are still to be written. The broker
 * numbers the deliveries of a channel from 1 without a gap, and settles with one `multiple` ack everything up to the
 * tag it names; it ends the channel over a tag that is settled already. So acks up to the first unfinished delivery are
 * written as one that names the highest of them, and what lies beyond one by one.
 *
 * Holds the tags of what is outstanding and nothing else, however long the first of them takes.
 */
export class AckWindow {
  private lastTag = 0;
  /** Neither acked nor given back, in the order of delivery. */
  private readonly unfinished = new Set<number>();
  private acked: number[] = [];

  /** Acks that `flush` has not written. */
  get unwritten(): number {
    return this.acked.length;
  }

  /** To be called with every tag seen. One that was skipped is unfinished for ever: nobody has that message. */
  delivered(tag: number): void {
    while (this.lastTag < tag) this.unfinished.add(++this.lastTag);
  }

  /** @returns false, and does nothing, when the delivery is finished already or there was none */
  ack(tag: number): boolean {
    if (!this.unfinished.delete(tag)) return false;
    this.acked.push(tag);
    return true;
  }

  /** The caller writes it at once. @returns as `ack` */
  giveBack(tag: number): boolean {
    return this.unfinished.delete(tag);
  }

  /** Writes all acks in as few frames as can be. What `send` throws ends it; what it did not take stays unwritten. */
  flush(send: (tag: number, isMultiple: boolean) => void): void {
    if (this.acked.length === 0) return;
    const firstUnfinished = this.unfinished.values().next().value ?? Infinity;
    const beyond: number[] = [];
    let upTo = 0;
    for (const tag of this.acked) {
      if (tag > firstUnfinished) beyond.push(tag);
      else if (tag > upTo) upTo = tag;
    }
    if (upTo > 0) send(upTo, true);
    this.acked = beyond;
    for (let tag = beyond[0]; tag !== undefined; tag = beyond[0]) {
      send(tag, false);
      beyond.shift();
    }
  }
}
