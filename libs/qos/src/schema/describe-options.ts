import {
  optionsOf,
  type DeclaredGroup,
  type DeclaredOption,
  type OptionDeclaration,
  type Schema,
} from './option.js';
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

function describe(schema: Schema<object>, prefix = ''): OptionDescription[] {
  return optionsOf(schema).flatMap((option: DeclaredOption | DeclaredGroup) =>
    'group' in option
      ? describe(option.group.schema, `${prefix}${option.group.name}.`)
      : [describeOption(option.declaration, prefix)],
  );
}

function describeOption(declaration: OptionDeclaration<unknown>, prefix: string): OptionDescription {
  const { name, kind, unit, doc, tooLow, tooHigh } = declaration;
  return {
    name: prefix + name,
    type: unit === undefined ? kind.type : `${kind.type} (${unit})`,
    default: describeDefault(declaration),
    range: kind.range,
    doc: doc.join(' '),
    tooLow,
    tooHigh,
  };
}

function describeDefault({ whenAbsent }: OptionDeclaration<unknown>): string {
  if ('use' in whenAbsent) return `\`${whenAbsent.use}\``;
  return 'rule' in whenAbsent ? whenAbsent.rule : whenAbsent.refuse;
}
