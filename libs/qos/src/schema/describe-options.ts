import { leafOptionsOf, type LeafOption, type OptionDeclaration, type Schema } from './option.js';
import { QosFile } from './qos-file.js';
import { QueueQos } from './queue-qos.js';

/** One option in words; Markdown is allowed in all of them. */
export interface OptionDescription {
  /** As in a QoS file, with the group it is in: `backoff.initial`. */
  readonly name: string;
  /** `duration`, or what an integer counts: `integer (messages)`. */
  readonly type: string;
  readonly default: string;
  readonly range: string;
  /** Whether an override may be laid over it while everything runs. */
  readonly isLive: boolean;
  readonly doc: string;
  readonly tooLow: string | undefined;
  readonly tooHigh: string | undefined;
}

/** The options at the top of a QoS file. */
export function describeFileOptions(): OptionDescription[] {
  return describe(QosFile);
}

/** The options of one queue. */
export function describeQueueOptions(): OptionDescription[] {
  return describe(QueueQos);
}

function describe(schema: Schema<object>): OptionDescription[] {
  return leafOptionsOf(schema)
    .filter(({ declaration }) => declaration.onlyLive !== true)
    .map(describeOption);
}

function describeOption({ name, declaration }: LeafOption): OptionDescription {
  const { kind, unit, live: isLive = false, doc, tooLow, tooHigh } = declaration;
  return {
    name,
    type: unit === undefined ? kind.type : `${kind.type} (${unit})`,
    default: describeDefault(declaration),
    range: kind.range,
    isLive,
    doc: doc.join(' '),
    tooLow,
    tooHigh,
  };
}

function describeDefault({ whenAbsent }: OptionDeclaration<unknown>): string {
  if ('use' in whenAbsent) return `\`${whenAbsent.use}\``;
  return 'rule' in whenAbsent ? whenAbsent.rule : whenAbsent.refuse;
}
