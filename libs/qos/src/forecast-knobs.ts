import { rounded } from './arithmetic.js';
import { formatDuration } from './duration.js';
import { forecastOptions, type OptionsForecast, type OptionsForecastInput } from './forecast-options.js';
import { percent } from './forecast-words.js';
import type { Forecast } from './forecast.js';
import type { QueueQos } from './schema/queue-qos.js';
import { handlerCount } from './sizing.js';

const SHORTER_RATIO = 0.8;

/** They make the queue longer and nothing else. */
const LENGTHS: readonly string[] = ['maxLatency', 'maxLength'];

/** What turning one knob would do. */
export interface Knob {
  /** The option it turns, as in a QoS file: `workers`. */
  readonly name: string;
  /** `workers 1 -> 2` */
  readonly change: string;
  /** What to lay over the options of the queue, as in a QoS file. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The forecast after it, or why the options would be refused. */
  readonly after: OptionsForecast;
  /** What it buys, in words: `accepts 500/s -> 550/s, ...`. */
  readonly effect: string;
}

type Turn = Pick<Knob, 'name' | 'change' | 'options'>;

/**
 * What each knob alone would do: one worker more, twice the handlers, jobs shorter by a fifth, a queue twice as
 * long, and nothing prefetched beyond the handlers (only where something is).
 *
 * Assumes that the downstream bears more handlers without making each job slower. Empty if the options as they
 * are cannot be forecast; `forecastOptions` says why.
 */
export function knobs(input: OptionsForecastInput): Knob[] {
  const before = forecastOptions(input);
  if (!before.ok) return [];
  const turns = [oneWorkerMore, twiceTheHandlers, shorterJobs, twiceTheQueue, noSurplus];
  return turns
    .map((turn) => turn(before.qos))
    .filter((turn) => turn !== undefined)
    .map((turn) => {
      const after = forecastOptions({ ...input, options: { ...input.options, ...turn.options } });
      return { ...turn, after, effect: effectOf(turn, before.forecast, after) };
    });
}

function oneWorkerMore({ workers }: QueueQos): Turn {
  return turned('workers', workers, workers + 1);
}

/** The bound that holds: of the fleet if that is the smaller one, else of each worker, whose surplus stays. */
function twiceTheHandlers(qos: QueueQos): Turn {
  const { concurrency, prefetch, fleetConcurrency } = qos;
  if (fleetConcurrency !== undefined && fleetConcurrency === handlerCount(qos))
    return turned('fleetConcurrency', fleetConcurrency, 2 * fleetConcurrency);
  const turn = turned('concurrency', concurrency, 2 * concurrency);
  return { ...turn, options: { ...turn.options, prefetch: prefetch + concurrency } };
}

function shorterJobs({ serviceTimeMs }: QueueQos): Turn | undefined {
  if (serviceTimeMs === undefined) return undefined;
  return turned('serviceTime', formatDuration(serviceTimeMs), formatDuration(serviceTimeMs * SHORTER_RATIO));
}

function twiceTheQueue({ isMaxLengthExplicit, maxLength, maxLatencyMs }: QueueQos): Turn {
  if (isMaxLengthExplicit || maxLatencyMs === undefined) return turned('maxLength', maxLength, 2 * maxLength);
  return turned('maxLatency', formatDuration(maxLatencyMs), formatDuration(2 * maxLatencyMs));
}

function noSurplus({ prefetch, concurrency }: QueueQos): Turn | undefined {
  return prefetch > concurrency ? turned('prefetch', prefetch, concurrency) : undefined;
}

function turned<T extends number | string>(name: string, from: T, to: T): Turn {
  return { name, change: `${name} ${from} -> ${to}`, options: { [name]: to } };
}

function effectOf({ name }: Turn, before: Forecast, after: OptionsForecast): string {
  if (!after.ok) return `refused: ${after.problems.map(({ message }) => message).join('; ')}`;
  const { forecast } = after;
  const effects = [
    `accepts ${perSec(before.acceptedPerSec)} -> ${perSec(forecast.acceptedPerSec)}`,
    `sheds ${percent(before.shedRatio)} -> ${percent(forecast.shedRatio)}`,
    `p99 sojourn ${ms(before.sojournP99Ms)} -> ${ms(forecast.sojournP99Ms)}`,
  ].join(', ');
  const isInVain = LENGTHS.includes(name) && forecast.loadRatio >= 1;
  return isInVain ? `${effects}: more queue buys only latency` : effects;
}

function perSec(rate: number): string {
  return `${rounded(rate, 1)}/s`;
}

function ms(durationMs: number): string {
  return `${rounded(durationMs, 1)} ms`;
}
