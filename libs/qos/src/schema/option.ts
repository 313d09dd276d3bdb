import type { QueueSizeInput } from '../sizing.js';
import type { Kind } from './kind.js';

/** One option, said once: its name, type, bounds, default and documentation. */
export interface OptionDeclaration<T> {
  /** Name in a QoS file; the property in code carries the unit as well (`maxLatency` is `maxLatencyMs`). */
  readonly name: string;
  readonly kind: Kind<T>;
  readonly whenAbsent: WhenAbsent<T>;
  /** What an integer counts, such as messages. */
  readonly unit?: string;
  /** Whether operators may lay an override over it while everything runs. @default false: it takes a restart */
  readonly live?: boolean;
  /** Whether it has no place in a QoS file: only operators set it, while everything runs. @default false */
  readonly onlyLive?: boolean;
  /** Sentences; Markdown is allowed. */
  readonly doc: readonly string[];
  /** What goes wrong, as it reads after "too low:". */
  readonly tooLow?: string;
  readonly tooHigh?: string;
}

type WhenAbsent<T> = Use | Derive<T> | Refuse;

/** A default, written as in a file, so that it passes the same checks as a given value. */
interface Use {
  readonly use: string | number;
}

interface Derive<T> {
  /** For the documentation, as it reads after "default": `the same as prefetch`. */
  readonly rule: string;
  /**
   * Called in the order of declaration, after all given values and earlier defaults are in the draft.
   * Undefined where nothing follows, and for an option that may stay out.
   */
  readonly derive: (draft: Draft) => T | undefined;
}

interface Refuse {
  /** As it reads in a message: `required unless maxLength is set`. */
  readonly refuse: string;
  /** The option whose presence makes this one optional. */
  readonly unless?: string;
}

/** What is known of a queue while its options are being resolved: anything may be missing or refused. */
export type Draft = Partial<QueueSizeInput> & { readonly maxLength?: number };

/** Options that share a prefix: a nested mapping in the file, a nested object in code. */
interface GroupDeclaration<T> {
  readonly name: string;
  readonly schema: Schema<T>;
}

export interface Schema<T> {
  new (): T;
  readonly prototype: T;
}

export interface DeclaredOption {
  readonly property: string;
  readonly declaration: OptionDeclaration<unknown>;
}

export interface DeclaredGroup {
  readonly property: string;
  readonly group: GroupDeclaration<object>;
}

/** Declarations by prototype: what decorators know of a class has to live outside of its instances. */
const declarations = new WeakMap<object, (DeclaredOption | DeclaredGroup)[]>();

/** Declares a property as an option, with its class-validator rules; the types of both must match. */
export function Option<T>(declaration: OptionDeclaration<T>) {
  return <K extends string>(target: { readonly [P in K]: T | undefined }, property: K): void => {
    remember(target, { property, declaration });
    for (const rule of declaration.kind.rules) rule(target, property);
  };
}

/** Declares a property as a group of options, which are declared in a class of their own. */
export function OptionGroup<T extends object>(group: GroupDeclaration<T>) {
  return <K extends string>(target: { readonly [P in K]: T }, property: K): void =>
    remember(target, { property, group });
}

/** The options of a class in the order of their declaration. */
export function optionsOf(schema: Schema<object>): readonly (DeclaredOption | DeclaredGroup)[] {
  return declarations.get(schema.prototype) ?? [];
}

/** One option wherever it is nested. */
export interface LeafOption {
  /** As in a QoS file, with the group it is in: `backoff.initial`. */
  readonly name: string;
  /** Properties that lead to its value in code: `['backoff', 'initialMs']`. */
  readonly properties: readonly string[];
  readonly declaration: OptionDeclaration<unknown>;
}

/** The options of a class and of its groups, in the order of their declaration. */
export function leafOptionsOf(schema: Schema<object>): LeafOption[] {
  return optionsOf(schema).flatMap((option): LeafOption[] => {
    if ('declaration' in option) {
      const { property, declaration } = option;
      return [{ name: declaration.name, properties: [property], declaration }];
    }
    const { property, group } = option;
    return leafOptionsOf(group.schema).map(({ name, properties, declaration }) => ({
      name: `${group.name}.${name}`,
      properties: [property, ...properties],
      declaration,
    }));
  });
}

function remember(target: object, option: DeclaredOption | DeclaredGroup): void {
  declarations.set(target, [...(declarations.get(target) ?? []), option]);
}
