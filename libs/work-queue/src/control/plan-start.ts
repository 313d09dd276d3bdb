import type { StreamOffset } from '../broker/broker.port.js';
import type { LogRecord } from './plan-entry.js';
import type { PlacedEntry } from './plan-fold.js';

/**
 * From where a reader has to read to know the plan, when `records` is what stands at the end of the log, by offset:
 * the earliest entry that one of them is based on, itself included, since only it tells that both are of one log.
 */
export function readFrom(records: ReadonlyMap<number, LogRecord>): StreamOffset {
  let from = Infinity;
  for (const [offset, record] of records) {
    if (record.kind === 'entry' && record.entry.basedOn < offset) from = Math.min(from, record.entry.basedOn);
  }
  return Number.isFinite(from) && from >= 0 ? from : 'first';
}

/** How what was read of the stream stands to what was known before, by this process or its cache. */
export type Succession =
  /** `read` is the plan: it is what was known, comes after it, or nothing was known. */
  | { readonly kind: 'follows' }
  /** Nothing was read: the stream was deleted or its disk lost, and what was known stays in force. */
  | { readonly kind: 'kept' }
  /** `read` is the plan, though it does not come after what was known. */
  | { readonly kind: 'replaced'; readonly reason: 'new-log' | 'rewound' };

/**
 * Whatever stands in a stream beats whatever was known, so that all processes agree: also an older entry of the same
 * log, in a stream that lost its end (`rewound`: a broker restored from a backup). Whoever stuck to the newer one would
 * stand alone with it, and take the next changes, at offsets it has seen, for old ones.
 */
export function succession(known: PlacedEntry | undefined, read: PlacedEntry | undefined): Succession {
  if (!known) return { kind: 'follows' };
  if (!read) return { kind: 'kept' };
  if (read.entry.logId !== known.entry.logId) return { kind: 'replaced', reason: 'new-log' };
  if (read.offset < known.offset) return { kind: 'replaced', reason: 'rewound' };
  return read.offset === known.offset && read.entry.id !== known.entry.id
    ? { kind: 'replaced', reason: 'rewound' }
    : { kind: 'follows' };
}
