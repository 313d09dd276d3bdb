import { optionsOf } from './option.js';
import type { Problem } from './problem.js';
import { queueNameProblems } from './queue-name.js';
import { QueueQos } from './queue-qos.js';
import { readOptions, type Reading } from './read-options.js';
import { relationProblems } from './relations.js';

export type QueueQosResult =
  | { readonly ok: true; readonly qos: QueueQos }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Reads, completes and checks the options of one queue as they stand in a QoS file.
 *
 * Reports every problem at once, of single options and of options that do not go together. Never throws.
 */
export function resolveQueueQos(name: string, input: unknown): QueueQosResult {
  const path = ['queues', name];
  const reading = readOptions(QueueQos, input, path);
  const draft = withDerived(reading);
  const problems = [...queueNameProblems(name, path), ...reading.problems, ...relationProblems(draft, path)];
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, qos: Object.freeze(Object.assign(new QueueQos(), draft)) };
}

/** Fills in what follows from other options; what was refused stays missing. */
function withDerived({ draft: given, refused }: Reading<QueueQos>): Partial<QueueQos> {
  let draft: Partial<QueueQos> = { ...given, isMaxLengthExplicit: given.maxLength !== undefined };
  for (const option of optionsOf(QueueQos)) {
    if ('group' in option || !('derive' in option.declaration.whenAbsent)) continue;
    if (Object.hasOwn(draft, option.property) || refused.has(option.property)) continue;
    draft = { ...draft, [option.property]: option.declaration.whenAbsent.derive(draft) };
  }
  return draft;
}
