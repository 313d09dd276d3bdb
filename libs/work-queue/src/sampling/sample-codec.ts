import { COUNTED_REASONS, JOB_ENDS, type QueueSample, TIME_KINDS, type TimeKind } from './queue-sample.js';
import { decodeTimes, encodeTimes, MAX_COARSENESS, MAX_COUNT } from './time-codec.js';
import type { TimeCounts } from './time-counts.js';

/** A sample never takes more; what does is refused unread. */
export const MAX_SAMPLE_BYTES = 4_096;

const VERSION = 1;
const MAX_QUEUE_BYTES = 255;
const MAX_SHOWN = 50;
/** Of all times together. In base64 they are 2,936 bytes, which leaves 1,160 for the longest name and all counts. */
const MAX_TIMES_BYTES = 2_200;

export type DecodedSample = { readonly sample: QueueSample } | { readonly refusal: string };

/**
 * JSON, with the times as base64. Where they are so many and so different that they would not fit, the widest kind is
 * made coarser until they do.
 */
export function encodeSample(sample: QueueSample): Buffer {
  const { queue, fromMs, toMs, accepted, unknown, refused, ends } = sample;
  const counts = { v: VERSION, queue, fromMs, toMs, accepted, unknown, refused, ends };
  return Buffer.from(JSON.stringify({ ...counts, ...fittingTimes(sample) }));
}

/** Never throws, and takes time and memory in proportion to the bytes, whatever they are. */
export function decodeSample(body: Uint8Array): DecodedSample {
  if (body.length > MAX_SAMPLE_BYTES) return { refusal: `${body.length} bytes, at most ${MAX_SAMPLE_BYTES}` };
  const raw = parsed(body);
  if (!isRecord(raw)) return { refusal: 'not a JSON object' };
  if (raw['v'] !== VERSION) return { refusal: `expected version ${VERSION}, got: ${shown(raw['v'])}` };
  const { queue, fromMs, toMs, accepted, unknown } = raw;
  if (!isQueue(queue)) return { refusal: `expected a queue name, got: ${shown(queue)}` };
  if (!isTime(fromMs) || !isTime(toMs) || fromMs > toMs) {
    return { refusal: `expected fromMs <= toMs, got: ${shown(fromMs)} and ${shown(toMs)}` };
  }
  if (!isCount(accepted) || !isCount(unknown)) return { refusal: 'accepted or unknown is no count' };
  const refused = countsOf(raw['refused'], COUNTED_REASONS);
  const ends = countsOf(raw['ends'], JOB_ENDS);
  if (!refused || !ends) return { refusal: 'refused or ends is no object of counts' };
  const times = timesOf(raw);
  if (!times) return { refusal: `one of ${TIME_KINDS.join(', ')} cannot be read` };
  return { sample: { queue, fromMs, toMs, accepted, unknown, refused, ends, ...times } };
}

function fittingTimes(sample: QueueSample): Record<string, string> {
  const parts = TIME_KINDS.map((kind) => ({ kind, coarseness: 0, bytes: encodeTimes(sample[kind], 0) }));
  for (;;) {
    const size = parts.reduce((total, { bytes }) => total + bytes.length, 0);
    const [widest] = parts
      .filter(({ coarseness }) => coarseness < MAX_COARSENESS)
      .toSorted((a, b) => b.bytes.length - a.bytes.length);
    if (size <= MAX_TIMES_BYTES || !widest) break;
    widest.coarseness++;
    widest.bytes = encodeTimes(sample[widest.kind], widest.coarseness);
  }
  return Object.fromEntries(parts.map(({ kind, bytes }) => [kind, Buffer.from(bytes).toString('base64')]));
}

function timesOf(raw: Readonly<Record<string, unknown>>): Record<TimeKind, TimeCounts> | undefined {
  const [service, failedService, wait] = TIME_KINDS.map((kind) => {
    const text = raw[kind];
    return typeof text === 'string' ? decodeTimes(Buffer.from(text, 'base64')) : undefined;
  });
  return service && failedService && wait ? { service, failedService, wait } : undefined;
}

/** Names this version does not know are left out. */
function countsOf<Name extends string>(
  raw: unknown,
  names: readonly Name[],
): Partial<Record<Name, number>> | undefined {
  if (!isRecord(raw)) return undefined;
  const counts: Partial<Record<Name, number>> = {};
  for (const name of names) {
    const count = raw[name];
    if (count === undefined) continue;
    if (!isCount(count)) return undefined;
    counts[name] = count;
  }
  return counts;
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isQueue(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= MAX_QUEUE_BYTES;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_COUNT;
}

/** Whatever it is, and however deep. */
function shown(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'an object' : String(value).slice(0, MAX_SHOWN);
}
