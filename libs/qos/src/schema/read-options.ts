import { validateSync } from 'class-validator';
import { isMapping } from './kind.js';
import { optionsOf, type DeclaredGroup, type DeclaredOption, type Schema } from './option.js';
import { problem, type Path, type Problem } from './problem.js';
import { suggest } from './suggestion.js';

/** What could be read of a mapping: valid values and fixed defaults, and a problem for everything else. */
export interface Reading<T> {
  readonly draft: Partial<T>;
  /** Properties that were given but refused, so that nothing is derived in their place. */
  readonly refused: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

interface Place {
  readonly schema: Schema<object>;
  readonly input: Record<string, unknown>;
  readonly path: Path;
}

/** One option: a value, problems, or neither if it was not given and has no fixed default. */
interface Outcome {
  readonly property: string;
  readonly value?: unknown;
  readonly problems: readonly Problem[];
}

/** Reads the options that a class declares from a mapping, reporting every problem at once. Never throws. */
export function readOptions<T extends object>(schema: Schema<T>, input: unknown, path: Path): Reading<T> {
  if (!isMapping(input)) {
    const notMapping = problem({ path, expected: 'a mapping of options', given: input });
    return { draft: {}, refused: new Set(), problems: [notMapping] };
  }
  const place = { schema, input, path };
  const outcomes = optionsOf(schema).map((option) =>
    'group' in option ? readGroup(option, place) : readOption(option, place),
  );
  const values = outcomes.flatMap(({ property, value }) =>
    value === undefined ? [] : [{ [property]: value }],
  );
  return {
    draft: Object.assign(new schema(), ...values),
    refused: new Set(outcomes.filter(({ problems }) => problems.length > 0).map(({ property }) => property)),
    problems: [...unknownKeys(place), ...outcomes.flatMap(({ problems }) => problems)],
  };
}

function unknownKeys({ schema, input, path }: Place): Problem[] {
  const known = optionsOf(schema).map(nameOf);
  const unknown = Object.keys(input).filter((key) => !known.includes(key));
  return unknown.map((key) => {
    const meant = suggest(key, known);
    const hint = meant === undefined ? `one of ${known.join(', ')}` : `did you mean ${meant}?`;
    return problem({ path: [...path, key], expected: `a known option (${hint})`, given: key });
  });
}

function readGroup({ property, group }: DeclaredGroup, { input, path }: Place): Outcome {
  const given = ownValue(input, group.name);
  const { draft, problems } = readOptions(group.schema, given === undefined ? {} : given, [
    ...path,
    group.name,
  ]);
  return { property, value: Object.freeze(draft), problems };
}

function readOption({ property, declaration }: DeclaredOption, place: Place): Outcome {
  const { name, kind, whenAbsent } = declaration;
  const given = ownValue(place.input, name);
  const raw = given === undefined && 'use' in whenAbsent ? whenAbsent.use : given;
  const refuse = (expected: string): Outcome => ({
    property,
    problems: [problem({ path: [...place.path, name], expected, given })],
  });
  if (raw === undefined) {
    const reason = reasonToRefuseAbsence(declaration, place);
    return reason === undefined ? { property, problems: [] } : refuse(`${kind.expected} (${reason})`);
  }
  const decoded = kind.decode(raw);
  if (!decoded.isDecoded) return refuse(decoded.expected);
  const value = decoded.value;
  return breaksRules(place.schema, { [property]: value })
    ? refuse(kind.expected)
    : { property, value, problems: [] };
}

function reasonToRefuseAbsence(
  { whenAbsent }: DeclaredOption['declaration'],
  { input }: Place,
): string | undefined {
  if (!('refuse' in whenAbsent)) return undefined;
  const isExcused = whenAbsent.unless !== undefined && ownValue(input, whenAbsent.unless) !== undefined;
  return isExcused ? undefined : whenAbsent.refuse;
}

/** One option at a time, so that a broken one hides no other. */
function breaksRules(schema: Schema<object>, option: Record<string, unknown>): boolean {
  return validateSync(Object.assign(new schema(), option), { skipMissingProperties: true }).length > 0;
}

function nameOf(option: DeclaredOption | DeclaredGroup): string {
  return 'group' in option ? option.group.name : option.declaration.name;
}

/** A key such as `constructor` must not find what every object inherits. */
function ownValue(input: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(input, name) ? input[name] : undefined;
}
