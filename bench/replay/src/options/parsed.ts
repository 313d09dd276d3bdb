/** What a parser makes of one option: its value, or one line that names the field, what was expected and what was given. */
export type Parsed<T> = { ok: true; value: T } | { ok: false; problem: string };

export interface GivenOption {
  field: string;
  given: string;
}

export function valid<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function invalid(option: GivenOption, expected: string): { ok: false; problem: string } {
  return { ok: false, problem: `${option.field}: expected ${expected}, given "${option.given}"` };
}

type ValuesOf<T> = { [K in keyof T]: T[K] extends Parsed<infer V> ? V : never };

/** All values when every field is valid, otherwise all problems at once. */
export function combine<T extends Record<string, Parsed<unknown>>>(
  fields: T,
): { ok: true; values: ValuesOf<T> } | { ok: false; problems: string[] } {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, parsed] of Object.entries(fields)) {
    if (parsed.ok) values[name] = parsed.value;
    else problems.push(parsed.problem);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, values: values as ValuesOf<T> };
}
