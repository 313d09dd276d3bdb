import { rounded, subtraction } from '../arithmetic.js';
import { formatDuration } from '../duration.js';
import { serviceTimeP99, sizeQueue, type QueueSize, type QueueSizeInput } from '../sizing.js';
import { problem, type Path, type Problem } from './problem.js';
import type { QueueQos } from './queue-qos.js';
import { completeSizing } from './sizing-draft.js';

type QosDraft = Partial<QueueQos>;

/** What two options together break: the option to change, and what it should be. */
interface Clash {
  readonly option: Path;
  readonly expected: string;
  readonly given: unknown;
}

type Relation = (draft: QosDraft) => Clash | undefined;

/** A relation is silent while one of its options is missing or was refused: that is reported already. */
const RELATIONS: readonly Relation[] = [
  prefetchFeedsEveryHandler,
  timeoutOutlastsService,
  backoffDoesNotShrink,
  latencyOutlastsService,
  atLeastOneJobFits,
];

export function relationProblems(draft: QosDraft, path: Path): Problem[] {
  const clashes = RELATIONS.map((relation) => relation(draft)).filter((clash) => clash !== undefined);
  return clashes.map(({ option, expected, given }) =>
    problem({ path: [...path, ...option], expected, given }),
  );
}

function prefetchFeedsEveryHandler({ prefetch, concurrency }: QosDraft): Clash | undefined {
  if (prefetch === undefined || concurrency === undefined || prefetch >= concurrency) return undefined;
  return { option: ['prefetch'], expected: `at least the concurrency of ${concurrency}`, given: prefetch };
}

function timeoutOutlastsService({ timeoutMs, serviceTimeMs }: QosDraft): Clash | undefined {
  if (timeoutMs === undefined || serviceTimeMs === undefined || timeoutMs >= serviceTimeMs) return undefined;
  const expected = `at least the serviceTime of ${formatDuration(serviceTimeMs)}`;
  return { option: ['timeout'], expected, given: formatDuration(timeoutMs) };
}

function backoffDoesNotShrink({ backoff }: QosDraft): Clash | undefined {
  const { initialMs, maxMs }: Partial<QueueQos['backoff']> = backoff ?? {};
  if (initialMs === undefined || maxMs === undefined || maxMs >= initialMs) return undefined;
  const expected = `at least the initial wait of ${formatDuration(initialMs)}`;
  return { option: ['backoff', 'max'], expected, given: formatDuration(maxMs) };
}

function latencyOutlastsService({ maxLatencyMs, serviceTimeMs, serviceTimeCv }: QosDraft): Clash | undefined {
  if (maxLatencyMs === undefined || serviceTimeMs === undefined || serviceTimeCv === undefined)
    return undefined;
  const p99Ms = serviceTimeP99({ serviceTimeMs, serviceTimeCv });
  if (maxLatencyMs > p99Ms) return undefined;
  const service = `serviceTime ${formatDuration(serviceTimeMs)}, serviceTimeCv ${serviceTimeCv}`;
  const expected = `longer than ${rounded(p99Ms)}ms, what 99 of 100 jobs need for themselves (${service})`;
  return { option: ['maxLatency'], expected, given: formatDuration(maxLatencyMs) };
}

/** Blames the window if a narrower one would do, else the latency, unless that was too short anyway. */
function atLeastOneJobFits(draft: QosDraft): Clash | undefined {
  const overfull = sizedBelowOne(draft);
  if (overfull === undefined || latencyOutlastsService(draft) !== undefined) return undefined;
  const widest = widestWindow(overfull);
  if (draft.window !== undefined && widest >= 1) {
    const expected = `at most ${widest}, as the queue would hold ${arithmetic(overfull)}`;
    return { option: ['window'], expected, given: draft.window };
  }
  const change = 'raise maxLatency or concurrency, or lower serviceTime, prefetch, gateways or window';
  const expected = `a latency that leaves room in the queue, not ${arithmetic(overfull)}: ${change}`;
  return { option: ['maxLatency'], expected, given: formatDuration(overfull.sizing.maxLatencyMs) };
}

interface Overfull {
  readonly sizing: QueueSizeInput;
  readonly size: QueueSize;
}

/** The sizing of a queue whose length should be derived, if not a single job fits. */
function sizedBelowOne(draft: QosDraft): Overfull | undefined {
  const sizing = draft.maxLength === undefined ? completeSizing(draft) : undefined;
  if (sizing === undefined) return undefined;
  const size = sizeQueue(sizing);
  return size.maxLength < 1 ? { sizing, size } : undefined;
}

function widestWindow({ sizing, size }: Overfull): number {
  return Math.floor((size.maxLength + size.unconfirmed - 1) / sizing.gateways);
}

function arithmetic({ sizing, size }: Overfull): string {
  return `${size.maxLength} = ${subtraction(sizing, size)}`;
}
