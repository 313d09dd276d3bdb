import { isMapping, ownValue } from '../schema/kind.js';
import { problem, type Path, type Problem } from '../schema/problem.js';
import { liveOptionProblem } from './live-option.js';
import type { Override, Overrides } from './override.js';

export type OverridesResult =
  DecodedOverrides | { readonly ok: false; readonly problems: readonly Problem[] };

interface DecodedOverrides {
  readonly ok: true;
  /** Whatever a newer version wrote and this one does not know is still in it, to be written back unchanged. */
  readonly overrides: Overrides;
  /** Overrides of options that this version does not know, or cannot change while it runs. */
  readonly ignored: readonly Problem[];
}

/** Where a log entry has them. */
const ROOT = 'overrides';

const STRING = { expected: 'a string', fits: (value: unknown) => typeof value === 'string' };
const TIME = { expected: 'milliseconds since the epoch', fits: (value: unknown) => Number.isFinite(value) };

const FIELDS: Readonly<Record<keyof Override, { expected: string; fits: (value: unknown) => boolean }>> = {
  value: { expected: 'a value', fits: (value) => value !== undefined },
  author: STRING,
  reason: STRING,
  atMs: TIME,
  untilMs: { ...TIME, fits: (value) => value === undefined || TIME.fits(value) },
};

/**
 * Reads overrides from JSON that another process wrote, of whatever version. Reports every problem at once. Never
 * throws.
 *
 * A field that is missing or of another type refuses the whole. Values are not looked at: whether they fit depends
 * on the options of the file.
 */
export function decodeOverrides(input: unknown): OverridesResult {
  const problems = shapeProblems(input);
  if (problems.length > 0) return { ok: false, problems };
  const queues = Object.entries(input as Overrides).filter(([, options]) => Object.keys(options).length > 0);
  return {
    ok: true,
    overrides: Object.fromEntries(queues),
    ignored: queues.flatMap(([queue, options]) =>
      Object.keys(options).flatMap((name) => liveOptionProblem(name, ['queues', queue]) ?? []),
    ),
  };
}

function shapeProblems(input: unknown): Problem[] {
  if (!isMapping(input))
    return [problem({ path: [ROOT], expected: 'a mapping from queues to overrides', given: input })];
  return Object.entries(input).flatMap(([queue, options]) => {
    if (!isMapping(options))
      return [
        problem({ path: [ROOT, queue], expected: 'a mapping from options to overrides', given: options }),
      ];
    return Object.entries(options).flatMap(([option, override]) =>
      overrideProblems(override, [ROOT, queue, option]),
    );
  });
}

function overrideProblems(override: unknown, path: Path): Problem[] {
  if (!isMapping(override)) return [problem({ path, expected: 'an override', given: override })];
  return Object.entries(FIELDS).flatMap(([field, { expected, fits }]) => {
    const given = ownValue(override, field);
    return fits(given) ? [] : [problem({ path: [...path, field], expected, given })];
  });
}
