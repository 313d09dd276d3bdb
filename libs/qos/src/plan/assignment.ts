import { problem, type Problem } from '../schema/problem.js';
import { liveOptionProblem } from './live-option.js';

const NUMBER = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i;

type Refused = { readonly ok: false; readonly problem: Problem };

/** An option by its name in a QoS file, and the value as the file would have it. */
export type AssignmentResult =
  { readonly ok: true; readonly option: string; readonly value: string | number } | Refused;

export type OptionNameResult = { readonly ok: true; readonly option: string } | Refused;

/**
 * Reads what an operator writes to set a live option: `prefetch=20`, `max-length=500`, `rate=200/s`.
 *
 * Whether the value fits is not looked at: that depends on the other options. Never throws.
 */
export function readAssignment(text: string): AssignmentResult {
  const [name = '', ...rest] = text.split('=');
  const value = rest.join('=').trim();
  if (name.trim() === '' || value === '') {
    const expected = 'an option and its value such as prefetch=20 or rate=200/s';
    return { ok: false, problem: problem({ path: [], expected, given: text }) };
  }
  const named = readOptionName(name);
  return named.ok ? { ...named, value: scalar(value) } : named;
}

/** Reads the name of a live option, in the spelling of the file (`maxLength`) or of a command line (`max-length`). */
export function readOptionName(text: string): OptionNameResult {
  const option = text.trim().replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const refusal = liveOptionProblem(option, []);
  return refusal === undefined ? { ok: true, option } : { ok: false, problem: refusal };
}

/** A number where YAML would read one, else the text. */
function scalar(text: string): string | number {
  return NUMBER.test(text) ? Number(text) : text;
}
