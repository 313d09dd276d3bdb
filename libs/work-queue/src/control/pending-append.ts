import type { PlacedEntry } from './plan-fold.js';
import type { AppendAnswer } from './stream-append.js';

/** How an attempt ended. `again`: not by success, and there may be another. `late`: there may be none. */
export type AttemptEnd =
  { readonly kind: 'won'; readonly placed: PlacedEntry } | { readonly kind: 'again' | 'late' };

/** One change on its way into the log, over all its attempts. */
export class PendingAppend {
  /** Where it stands in the log, once it was read there as valid. */
  won: PlacedEntry | undefined;
  /** Base of the first attempt; undefined before it. */
  earliestBase: number | undefined;
  /** Ends the attempt that is under way. */
  end: (end: AttemptEnd) => void = () => undefined;
  /** Bases of what was sent and has neither been refused by the broker nor read as a loser. */
  private readonly undecided = new Set<number>();
  /** Base of what this attempt sent; undefined while it has sent nothing. */
  private sentBase: number | undefined;

  constructor(
    /** Of all its attempts. */
    readonly id: string,
    /** `performance.now()` */
    private readonly deadline: number,
  ) {}

  get leftMs(): number {
    return Math.max(0, this.deadline - performance.now());
  }

  /** Something was sent that may be in the log, or come into it. */
  get isUndecided(): boolean {
    return this.undecided.size > 0;
  }

  /** Another attempt. @returns how it ends */
  begin(): Promise<AttemptEnd> {
    this.sentBase = undefined;
    return new Promise((resolve) => (this.end = resolve));
  }

  win(placed: PlacedEntry): void {
    this.won = placed;
    this.end({ kind: 'won', placed });
  }

  /** An attempt with this base was read, and another change had come first: whatever else has that base loses too. */
  lose(base: number): void {
    this.undecided.delete(base);
    if (base === this.sentBase) this.end({ kind: 'again' });
  }

  /** The log was read again to its end: an attempt that was sent and not found in it is to be repeated. */
  reread(): void {
    if (this.sentBase !== undefined) this.end({ kind: 'again' });
  }

  /** An attempt is sent now. @returns what to do with the broker's answer to it */
  send(base: number): (answer: AppendAnswer) => void {
    const { end } = this;
    const wasUndecided = this.undecided.has(base);
    this.undecided.add(base);
    this.sentBase = base;
    this.earliestBase ??= base;
    return (answer) => {
      if (answer === 'acked' || answer === 'silent') return;
      // An earlier one with that base may still be on its way.
      if (answer !== 'lost' && !wasUndecided) this.undecided.delete(base);
      end({ kind: 'again' });
    };
  }
}
