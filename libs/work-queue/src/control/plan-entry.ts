/**
 * Queue -> option -> override. What an override may say is not decided here: whether an entry is valid must come out
 * the same in every process, whatever options its version knows.
 */
export type PlanOverrides = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What a change of the plan leaves in the log. */
export interface PlanEntry {
  /** Of the change: an append that is repeated keeps it. */
  readonly id: string;
  /** Of all entries that were built on the same first one. */
  readonly logId: string;
  /** Offset of the entry it replaces; -1 for the first of a log. */
  readonly basedOn: number;
  readonly author: string;
  readonly reason: string;
  /** When the author's process wrote it, ms since epoch. By that process's clock: order is by offset. */
  readonly at: number;
  /** What was set or cleared, in words. */
  readonly change: string;
  /** All overrides after it, not just what changed. */
  readonly overrides: PlanOverrides;
}

/** What can stand at one offset of the log. A marker is a reader's way to know where the end was; it counts as nothing. */
export type LogRecord =
  | { readonly kind: 'entry'; readonly entry: PlanEntry }
  | { readonly kind: 'marker'; readonly nonce: string }
  | { readonly kind: 'malformed'; readonly reason: string };

/** Nothing larger is written or read. Ten thousand entries of an eighth of it fit into the log's retention. */
export const MAX_ENTRY_BYTES = 65_536;
/** Of id, log id, author, reason and words, each. */
const MAX_TEXT_LENGTH = 1_000;

const VERSION = 1;

const TEXTS = ['id', 'logId', 'author', 'reason', 'change'] as const;

export function encodeEntry(entry: PlanEntry): Buffer {
  return Buffer.from(JSON.stringify({ kind: 'entry', version: VERSION, ...entry }));
}

export function encodeMarker(nonce: string): Buffer {
  return Buffer.from(JSON.stringify({ kind: 'marker', version: VERSION, nonce }));
}

/** Reads what anybody may have written. Fields it does not know are dropped. Never throws. */
export function decodeRecord(body: Buffer): LogRecord {
  if (body.length > MAX_ENTRY_BYTES) {
    return malformed(`it has ${body.length} bytes, more than ${MAX_ENTRY_BYTES}`);
  }
  const value = parsed(body);
  if (!isObject(value)) return malformed('it is not a JSON object');
  if (value['version'] !== VERSION) return malformed(unexpected('version', `${VERSION}`, value));
  if (value['kind'] === 'marker') return markerFrom(value);
  if (value['kind'] === 'entry') return recordFrom(value);
  return malformed(unexpected('kind', 'entry or marker', value));
}

/** As `decodeRecord` reads it; a string says what is wrong. For an entry from elsewhere, such as a file. */
export function entryFrom(value: unknown): PlanEntry | string {
  if (!isObject(value)) return 'it is not an object';
  for (const name of TEXTS) {
    if (!isText(value[name])) {
      return unexpected(name, `a text of 1 to ${MAX_TEXT_LENGTH} characters`, value);
    }
  }
  const { basedOn, at, overrides } = value;
  if (!isInteger(basedOn, -1)) return unexpected('basedOn', 'an offset or -1', value);
  if (!isInteger(at, 0)) return unexpected('at', 'milliseconds since the epoch', value);
  if (!isOverrides(overrides)) return unexpected('overrides', 'an object of objects', value);
  const [id, logId, author, reason, change] = TEXTS.map((name) => String(value[name]));
  return { id, logId, basedOn, author, reason, at, change, overrides } as PlanEntry;
}

function recordFrom(value: Readonly<Record<string, unknown>>): LogRecord {
  const entry = entryFrom(value);
  return typeof entry === 'string' ? malformed(entry) : { kind: 'entry', entry };
}

function markerFrom(value: Readonly<Record<string, unknown>>): LogRecord {
  const { nonce } = value;
  return isText(nonce) ? { kind: 'marker', nonce } : malformed(unexpected('nonce', 'a text', value));
}

function malformed(reason: string): LogRecord {
  return { kind: 'malformed', reason };
}

function unexpected(name: string, expected: string, value: Readonly<Record<string, unknown>>): string {
  const got = JSON.stringify(value[name]) ?? 'nothing';
  return `expected ${name} to be ${expected}, got: ${got.length > 80 ? `${got.slice(0, 80)}...` : got}`;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT_LENGTH;
}

function isInteger(value: unknown, min: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min;
}

function isOverrides(value: unknown): value is PlanOverrides {
  return isObject(value) && Object.values(value).every(isObject);
}
