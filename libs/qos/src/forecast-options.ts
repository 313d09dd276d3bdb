import { forecast, type Forecast } from './forecast.js';
import { problem, type Problem } from './schema/problem.js';
import type { QueueQos } from './schema/queue-qos.js';
import { resolveQueueQos } from './schema/resolve-queue-qos.js';

export interface OptionsForecastInput {
  /** Name of the queue. */
  readonly name: string;
  /** Its options as they stand in a QoS file. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Jobs that arrive in a second, at random; retries count as arrivals. 0 or more. */
  readonly arrivalRatePerSec: number;
}

export type OptionsForecast =
  | { readonly ok: true; readonly qos: QueueQos; readonly forecast: Forecast }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Resolves the options of a queue and forecasts it; without a service time nothing can be said. Never throws. */
export function forecastOptions({ name, options, arrivalRatePerSec }: OptionsForecastInput): OptionsForecast {
  const result = resolveQueueQos(name, options);
  if (!result.ok) return result;
  const { qos } = result;
  const { serviceTimeMs } = qos;
  if (serviceTimeMs !== undefined) {
    const input = Object.assign({}, qos, { serviceTimeMs, arrivalRatePerSec });
    return { ok: true, qos, forecast: forecast(input) };
  }
  const path = ['queues', name, 'serviceTime'];
  return {
    ok: false,
    problems: [problem({ path, expected: 'a duration, to forecast from', given: undefined })],
  };
}
