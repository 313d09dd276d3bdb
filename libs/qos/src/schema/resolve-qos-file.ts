import { isMapping } from './kind.js';
import { leafOptionsOf } from './option.js';
import { problem, type Problem } from './problem.js';
import { QosFile, type LimitMode } from './qos-file.js';
import { QueueQos } from './queue-qos.js';
import { readOptions } from './read-options.js';
import { resolveQueueQos } from './resolve-queue-qos.js';

export type QosFileResult = ResolvedQosFile | { readonly ok: false; readonly problems: readonly Problem[] };

interface ResolvedQosFile {
  readonly ok: true;
  readonly queues: ReadonlyMap<string, QueueQos>;
  /** What the file says of each queue, unchanged, for overrides to be laid over it. */
  readonly fileOptions: ReadonlyMap<string, unknown>;
  readonly limits: LimitMode;
}

/** Reads, completes and checks a whole QoS file; reports the problems of all queues at once. Never throws. */
export function resolveQosFile(input: unknown): QosFileResult {
  const reading = readOptions(QosFile, input, []);
  const { limits, queues: inputs = {} } = reading.draft;
  const queues = new Map<string, QueueQos>();
  const problems = [...reading.problems];
  for (const [name, queueInput] of Object.entries(inputs)) {
    problems.push(...onlyLiveProblems(name, queueInput));
    const result = resolveQueueQos(name, queueInput);
    if (result.ok) queues.set(name, result.qos);
    else problems.push(...result.problems);
  }
  if (problems.length > 0 || limits === undefined) return { ok: false, problems };
  return { ok: true, queues, fileOptions: new Map(Object.entries(inputs)), limits };
}

function onlyLiveProblems(queue: string, input: unknown): Problem[] {
  if (!isMapping(input)) return [];
  return leafOptionsOf(QueueQos)
    .filter(({ name, declaration }) => declaration.onlyLive === true && Object.hasOwn(input, name))
    .map(({ name }) => {
      const expected = 'nothing in a file, since it is set while everything runs';
      return problem({ path: ['queues', queue, name], expected, given: input[name] });
    });
}
