import { count, rounded, speed, windows } from '../arithmetic.js';
import { formatDuration } from '../duration.js';
import { explainLength } from '../explain.js';
import { formatRate } from '../rate.js';
import { isMapping } from '../schema/kind.js';
import { leafOptionsOf, type LeafOption } from '../schema/option.js';
import { QueueQos } from '../schema/queue-qos.js';
import { drainRatePerSec, handlerCount } from '../sizing.js';
import { consequencesOf, overshootOf } from './consequences.js';

const UNKNOWN = 'unknown without serviceTime';

/** One thing before a change and after it, in words. */
export interface Difference {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

export interface Differences {
  /**
   * The options that differ, derived ones included, in the order of the documentation: names and values as in a
   * QoS file, `none` for one that is not given.
   */
  readonly options: readonly Difference[];
  /** What they come to while the queue is not paused, whether it differs or not, with every number needed to redo it. */
  readonly arithmetic: readonly Difference[];
}

/** What changes for a queue, in the words of the QoS file and in what it means for the work. */
export function differences(before: QueueQos, after: QueueQos): Differences {
  const compared = (name: string, say: (qos: QueueQos) => string) => ({
    name,
    before: say(before),
    after: say(after),
  });
  const options = leafOptionsOf(QueueQos).map((option) =>
    compared(option.name, (qos) => formatOption(option, qos)),
  );
  const arithmetic = ARITHMETIC.map(([name, say]) => compared(name, say));
  return { options: options.filter((option) => option.before !== option.after), arithmetic };
}

const ARITHMETIC: readonly [name: string, say: (qos: QueueQos) => string][] = [
  ['length', explainLength],
  ['capacity', explainCapacity],
  ['a full queue drains in', explainFullDrain],
  ['accepted work at most', explainAccepted],
  ['in-flight at most', explainInFlight],
  ['p99 sojourn in a full queue', explainSojourn],
];

function formatOption({ declaration, properties }: LeafOption, qos: QueueQos): string {
  const value = properties.reduce<unknown>(
    (within, property) => (isMapping(within) ? within[property] : undefined),
    qos,
  );
  return value === undefined ? 'none' : declaration.kind.format(value);
}

function explainCapacity(qos: QueueQos): string {
  const { serviceTimeMs, workers, ratePerSec } = qos;
  const { capacityPerSec, bindingRatePerSec } = consequencesOf(qos);
  const handlersPerSec = drainRatePerSec(qos);
  if (capacityPerSec === undefined || handlersPerSec === undefined || serviceTimeMs === undefined)
    return UNKNOWN;
  const handlers = speed(handlerCount(qos), serviceTimeMs);
  if (bindingRatePerSec === undefined || ratePerSec === undefined)
    return `${rounded(capacityPerSec)}/s (${handlers})`;
  const rate = `${count(workers, 'worker')} x rate ${formatRate(ratePerSec)}`;
  return `${rounded(capacityPerSec)}/s (${rate}; ${handlers} could do ${rounded(handlersPerSec)}/s)`;
}

function explainFullDrain(qos: QueueQos): string {
  const { fullDrainMs } = consequencesOf(qos);
  return fullDrainMs === undefined ? UNKNOWN : `${rounded(fullDrainMs)} ms`;
}

function explainAccepted(qos: QueueQos): string {
  const { maxLength, workers, prefetch, gateways, window } = qos;
  const terms = [
    `${maxLength} ready`,
    `${workers * prefetch} in the workers (${count(workers, 'worker')} x prefetch ${prefetch})`,
  ];
  const overshoot = overshootOf(qos);
  if (overshoot > 0) terms.push(`${overshoot} unconfirmed (${windows(gateways, window)})`);
  return `${consequencesOf(qos).acceptedAtMost} = ${terms.join(' + ')}`;
}

function explainInFlight({ workers, concurrency, fleetConcurrency }: QueueQos): string {
  const handlers = handlerCount({ workers, concurrency, fleetConcurrency });
  const all = `${count(workers, 'worker')} x concurrency ${concurrency}`;
  if (fleetConcurrency === undefined) return `${handlers} (${all})`;
  return `${handlers} (${all}, together at most fleetConcurrency ${fleetConcurrency})`;
}

function explainSojourn(qos: QueueQos): string {
  const { fullSojournP99Ms, isPromiseKept } = consequencesOf(qos);
  if (fullSojournP99Ms === undefined) return UNKNOWN;
  const sojourn = `${rounded(fullSojournP99Ms)} ms`;
  if (isPromiseKept === undefined || qos.maxLatencyMs === undefined) return sojourn;
  const verdict = isPromiseKept ? 'within' : 'longer than';
  return `${sojourn}, ${verdict} maxLatency ${formatDuration(qos.maxLatencyMs)}`;
}
