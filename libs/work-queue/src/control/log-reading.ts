import type { BrokerConnection, StreamOffset } from '../broker/broker.port.js';
import { withinDeadline } from '../timing/within-deadline.js';
import { decodeRecord } from './plan-entry.js';
import { PlanFold, type Verdict } from './plan-fold.js';
import { StreamReader } from './stream-reader.js';

/** How far to read before what was read counts as all there is: to an offset, or to a marker. */
export type ReadingTarget = { readonly offset: number } | { readonly nonce: string };

export interface ReadingOptions {
  readonly stream: string;
  readonly from: StreamOffset;
  readonly target: ReadingTarget;
  /** Ends the reading, and the following after it. */
  readonly signal: AbortSignal;
  /** Called with each record in the order of the log, before and after the target. Must not throw. */
  readonly onVerdict: (verdict: Verdict, fold: PlanFold) => void;
}

/** Ten thousand entries of 8 KB are 80 MB. */
const READ_TIMEOUT_MS = 30_000;

/** A log that is read to a target, and on from there until the reader is closed or ends. */
export interface LogReading {
  readonly fold: PlanFold;
  readonly reader: StreamReader;
}

/** Resolves once the target was read. Rejects when the reader ends before, or does not get there in time. */
export async function readLog(connection: BrokerConnection, options: ReadingOptions): Promise<LogReading> {
  const { stream, from, target, signal, onVerdict } = options;
  const fold = new PlanFold();
  let resolveReached: () => void = () => undefined;
  const reached = new Promise<undefined>((resolve) => (resolveReached = () => resolve(undefined)));
  const reader = await StreamReader.open(connection, {
    stream,
    from,
    signal,
    onEntry: (offset, body) => {
      const verdict = fold.feed(offset, decodeRecord(body));
      onVerdict(verdict, fold);
      if (isReached(target, verdict, fold.newestOffset)) resolveReached();
    },
  });
  const failure = await withinDeadline(
    Promise.race([reached, reader.ended]),
    READ_TIMEOUT_MS,
    `the log could not be read within ${READ_TIMEOUT_MS} ms`,
  );
  if (failure === undefined) return { fold, reader };
  reader.close();
  throw new Error(failure);
}

function isReached(target: ReadingTarget, verdict: Verdict, newestOffset: number): boolean {
  if ('offset' in target) return newestOffset >= target.offset;
  return verdict.kind === 'marker' && verdict.nonce === target.nonce;
}
