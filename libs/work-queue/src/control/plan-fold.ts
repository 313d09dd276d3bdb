import type { LogRecord, PlanEntry } from './plan-entry.js';

/** An entry and where it stands in the log. */
export interface PlacedEntry {
  readonly offset: number;
  readonly entry: PlanEntry;
}

/** What one record means to the plan. */
export type Verdict =
  /** The plan from here on. `isAnchor`: the first of which that is known, and whatever was taken for it before was not. */
  | { readonly kind: 'valid'; readonly placed: PlacedEntry; readonly isAnchor: boolean }
  /** Another change came first; whoever made it reads again and retries. */
  | { readonly kind: 'loser'; readonly placed: PlacedEntry; readonly reason: string }
  | { readonly kind: 'malformed'; readonly offset: number; readonly reason: string }
  | { readonly kind: 'marker'; readonly nonce: string }
  /** Seen already. */
  | { readonly kind: 'duplicate' };

/**
 * Which entries of a log count: the first is the first with basedOn -1, and each next one is the first that is based on
 * the one before. So two writers that race cannot both win, and everybody who reads the log knows who did.
 *
 * A writer bases an entry only on one it knows to be valid, so every `basedOn` names a valid entry. That lets a reader
 * begin anywhere: as long as nothing confirms what it has, the entry with the latest base before its beginning is the
 * plan, the first of several with that base.
 *
 * One fold reads one stream from one point on; a stream that was deleted and made again needs another.
 */
export class PlanFold {
  private first: number | undefined;
  private last = -1;
  private latest: PlacedEntry | undefined;
  private confirmed = false;

  /** The newest valid entry; undefined while there was none. */
  get current(): PlacedEntry | undefined {
    return this.latest;
  }

  /** The highest offset that was fed; -1 before the first. */
  get newestOffset(): number {
    return this.last;
  }

  /** False while an entry further back could prove `current` a loser, or say what it is when it is undefined. */
  get isProven(): boolean {
    return this.confirmed || this.first === 0;
  }

  /** In the order of the log. Offsets may have gaps: the broker takes some for itself. */
  feed(offset: number, record: LogRecord): Verdict {
    if (offset <= this.last) return { kind: 'duplicate' };
    this.last = offset;
    this.first ??= offset;
    if (record.kind === 'entry') return this.judge({ offset, entry: record.entry }, this.first);
    return record.kind === 'malformed' ? { ...record, offset } : record;
  }

  private judge(placed: PlacedEntry, first: number): Verdict {
    const reason = this.objectionTo(placed, first);
    if (reason !== undefined) return { kind: 'loser', placed, reason };
    const isAnchor = placed.entry.basedOn !== this.latest?.offset;
    // Nobody bases an entry on one that is not valid.
    if (!isAnchor) this.confirmed = true;
    this.latest = placed;
    return { kind: 'valid', placed, isAnchor };
  }

  private objectionTo({ offset, entry }: PlacedEntry, first: number): string | undefined {
    const { basedOn, logId } = entry;
    const { latest } = this;
    if (basedOn >= offset) return `it is based on ${basedOn}, which is not before it`;
    if (basedOn === latest?.offset) {
      return logId === latest.entry.logId ? undefined : `it is of another log, ${logId}`;
    }
    if (basedOn >= first) return `it is based on ${basedOn}, which is not the plan any more, or never was`;
    if (latest && basedOn <= latest.entry.basedOn) return 'another with its base or a later one came first';
    return undefined;
  }
}
