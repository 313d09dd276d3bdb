import { isMapping, ownValue } from '../schema/kind.js';
import type { Problem } from '../schema/problem.js';
import { resolveQueueQos, type QueueQosResult } from '../schema/resolve-queue-qos.js';
import { liveOptionProblem } from './live-option.js';
import { isInForce, type Override, type Overrides } from './override.js';

export interface EffectiveQosInput {
  readonly queue: string;
  /** What the QoS file says of the queue, unchanged. */
  readonly fileOptions: unknown;
  readonly overrides: Overrides;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

export type EffectiveQos = QueueQosResult & {
  /** When the next of the overrides in force ends and all of this is to be asked anew; undefined: never. */
  readonly nextExpiryMs: number | undefined;
  /** Overrides left out because this version does not know the option, or cannot change it while it runs. */
  readonly ignored: readonly Problem[];
};

/**
 * The file's options with the overrides in force laid over them, resolved and checked like a file. Never throws.
 *
 * Not ok if overrides no longer go together with the file, or a newer version set a value that this one refuses:
 * whoever runs a queue then keeps the QoS it has.
 */
export function effectiveQos({ queue, fileOptions, overrides, nowMs }: EffectiveQosInput): EffectiveQos {
  const inForce = Object.entries(ownValue(overrides, queue) ?? {})
    .filter(([, override]) => isInForce(override, nowMs))
    .map(([name, override]) => ({
      name,
      override,
      problem: liveOptionProblem(name, ['queues', queue]),
    }));
  const laid = inForce.filter(({ problem }) => problem === undefined);
  const values = laid.map(({ name, override }): [string, unknown] => [name, override.value]);
  return {
    ...resolveQueueQos(queue, overlaid(fileOptions, values)),
    nextExpiryMs: earliest(laid.map(({ override }) => override)),
    ignored: inForce.flatMap(({ problem }) => problem ?? []),
  };
}

/** Options that are not a mapping stay what they are, to be refused as such. */
function overlaid(fileOptions: unknown, values: readonly [string, unknown][]): unknown {
  return isMapping(fileOptions) ? { ...fileOptions, ...Object.fromEntries(values) } : fileOptions;
}

function earliest(overrides: readonly Override[]): number | undefined {
  const endsMs = overrides.flatMap(({ untilMs }) => untilMs ?? []);
  return endsMs.length === 0 ? undefined : Math.min(...endsMs);
}
