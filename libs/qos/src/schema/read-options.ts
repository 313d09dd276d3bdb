import { validateSync } from 'class-validator';
import { isMapping, ownValue } from './kind.js';
import { optionsOf, type DeclaredGroup, type DeclaredOption, type Schema } from './option.js';
import { problem, type Path, type Problem } from './problem.js';
import { hint } from './suggestion.js';

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
  return unknown.map((key) =>
    problem({ path: [...path, key], expected: `a known option (${hint(key, known)})`, given: key }),
  );
}

function readGroup({ property, group }: DeclaredGroup, { input, path }: Place): Outcome {
  const given = ownValue(input, group.name);
  const groupInput = given === undefined ? {} : given;
  const { draft, problems } = readOptions(group.schema, groupInput, [...path, group.name]);
  return { property, value: Object.freeze(draft), problems };
}

function readOption(option: DeclaredOption, place: Place): Outcome {
  const { kind, name, whenAbsent } = option.declaration;
  const given = ownValue(place.input, name);
  const raw = given === undefined && 'use' in whenAbsent ? whenAbsent.use : given;
  if (raw === undefined) return readAbsent(option, place);
  const decoded = kind.decode(raw);
  if (!decoded.isDecoded) return refuse(option, place, decoded.expected);
  const { property } = option;
  if (breaksRules(place.schema, { [property]: decoded.value })) return refuse(option, place, kind.expected);
  return { property, value: decoded.value, problems: [] };
}

function readAbsent(option: DeclaredOption, place: Place): Outcome {
  const { kind, whenAbsent } = option.declaration;
  const isExcused =
    !('refuse' in whenAbsent) ||
    (whenAbsent.unless !== undefined && ownValue(place.input, whenAbsent.unless) !== undefined);
  if (isExcused) return { property: option.property, problems: [] };
  return refuse(option, place, `${kind.expected} (${whenAbsent.refuse})`);
}

function refuse(
  { property, declaration }: DeclaredOption,
  { input, path }: Place,
  expected: string,
): Outcome {
  const { name } = declaration;
  const given = ownValue(input, name);
  return { property, problems: [problem({ path: [...path, name], expected, given })] };
}

/** One option at a time, so that a broken one hides no other. */
function breaksRules(schema: Schema<object>, option: Record<string, unknown>): boolean {
  return validateSync(Object.assign(new schema(), option), { skipMissingProperties: true }).length > 0;
}

function nameOf(option: DeclaredOption | DeclaredGroup): string {
  return 'group' in option ? option.group.name : option.declaration.name;
}
