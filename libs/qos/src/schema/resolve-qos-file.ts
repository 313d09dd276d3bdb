import type { Problem } from './problem.js';
import { QosFile, type LimitMode } from './qos-file.js';
import type { QueueQos } from './queue-qos.js';
import { readOptions } from './read-options.js';
import { resolveQueueQos } from './resolve-queue-qos.js';

export type QosFileResult =
  | { readonly ok: true; readonly queues: ReadonlyMap<string, QueueQos>; readonly limits: LimitMode }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads, completes and checks a whole QoS file; reports the problems of all queues at once. Never throws. */
export function resolveQosFile(input: unknown): QosFileResult {
  const reading = readOptions(QosFile, input, []);
  const { limits, queues: inputs = {} } = reading.draft;
  const queues = new Map<string, QueueQos>();
  const problems = [...reading.problems];
  for (const [name, queueInput] of Object.entries(inputs)) {
    const result = resolveQueueQos(name, queueInput);
    if (result.ok) queues.set(name, result.qos);
    else problems.push(...result.problems);
  }
  if (problems.length > 0 || limits === undefined) return { ok: false, problems };
  return { ok: true, queues, limits };
}
