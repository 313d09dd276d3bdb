import { IsIn, IsInt, IsNumber, IsObject, IsPositive, Max, Min } from 'class-validator';
import { formatDuration, parseDuration } from '../duration.js';
import { MAX_RATE_PER_SEC, formatRate, parseRate } from '../rate.js';

type Decoded<T> =
  { readonly isDecoded: true; readonly value: T } | { readonly isDecoded: false; readonly expected: string };

/** What values an option takes: how one is read from a file, checked, and described. */
export interface Kind<T> {
  /** In one word, for the documentation. */
  readonly type: string;
  /** The values it takes, for the documentation: `1 to 65535`. */
  readonly range: string;
  /** As it reads after "expected": `an integer from 1 to 65535`. */
  readonly expected: string;
  /** class-validator's decorators for the decoded value. */
  readonly rules: readonly PropertyDecorator[];
  decode(raw: unknown): Decoded<T>;
  /** As one would write it in a file; `decode` reads it back. */
  format(value: T): string;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** Written with a unit (`2s`), held in milliseconds. */
export function duration({ min, max }: Bounds): Kind<number> {
  const range = `${formatDuration(min)} to ${formatDuration(max)}`;
  const expected = `a duration from ${range}`;
  return {
    type: 'duration',
    range,
    expected,
    rules: boundedNumber({ min, max }, expected),
    decode: (raw) => decodedOr(parseDuration(raw), 'a duration with a unit such as 250ms or 2s'),
    format: formatDuration,
  };
}

/** Written with a unit (`200/s`, `30/m`, `1000/h`), held per second. */
export function rate(): Kind<number> {
  const range = `more than 0/s, at most ${MAX_RATE_PER_SEC}/s`;
  const expected = `a rate such as 200/s, 30/m or 1000/h (${range})`;
  return {
    type: 'rate',
    range,
    expected,
    rules: [IsPositive({ message: expected }), Max(MAX_RATE_PER_SEC, { message: expected })],
    decode: (raw) => decodedOr(parseRate(raw), expected),
    format: formatRate,
  };
}

export function integer({ min, max }: Bounds): Kind<number> {
  const expected = `an integer from ${min} to ${max}`;
  const rules = [IsInt({ message: expected }), ...boundedNumber({ min, max }, expected)];
  return numeric({ type: 'integer', range: `${min} to ${max}`, expected, rules });
}

export function number({ min, max }: Bounds): Kind<number> {
  const expected = `a number from ${min} to ${max}`;
  return numeric({
    type: 'number',
    range: `${min} to ${max}`,
    expected,
    rules: boundedNumber({ min, max }, expected),
  });
}

interface Choice<T extends string> {
  readonly values: readonly T[];
  /** Values that look right but are refused, each with the reason. */
  readonly refused?: Readonly<Record<string, string>>;
}

export function choice<T extends string>({ values, refused = {} }: Choice<T>): Kind<T> {
  const expected = values.join(' or ');
  return {
    type: 'choice',
    range: values.map((value) => `\`${value}\``).join(', '),
    expected,
    rules: [IsIn(values, { message: expected })],
    decode: (raw) => {
      const reason = typeof raw === 'string' && Object.hasOwn(refused, raw) ? ` (${refused[raw]})` : '';
      return decodedOr(
        values.find((value) => value === raw),
        `${expected}${reason}`,
      );
    },
    format: String,
  };
}

/** A mapping with at least one key; the keys are the reader's business. */
export function mapping(expected: string): Kind<Record<string, unknown>> {
  return {
    type: 'mapping',
    range: '1 or more',
    expected,
    rules: [IsObject({ message: expected })],
    decode: (raw) => decodedOr(isMapping(raw) && Object.keys(raw).length > 0 ? raw : undefined, expected),
    format: (value) => JSON.stringify(value),
  };
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A key such as `constructor` must not find what every object inherits. */
export function ownValue<T>(mapping: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(mapping, key) ? mapping[key] : undefined;
}

function numeric(kind: Omit<Kind<number>, 'decode' | 'format'>): Kind<number> {
  const decode = (raw: unknown) => decodedOr(typeof raw === 'number' ? raw : undefined, kind.expected);
  return { ...kind, decode, format: String };
}

function boundedNumber({ min, max }: Bounds, message: string): PropertyDecorator[] {
  return [IsNumber({}, { message }), Min(min, { message }), Max(max, { message })];
}

function decodedOr<T>(value: T | undefined, expected: string): Decoded<T> {
  return value === undefined ? { isDecoded: false, expected } : { isDecoded: true, value };
}
