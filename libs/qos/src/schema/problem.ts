export type Path = readonly (string | number)[];

/** One thing that is wrong with an input, complete enough to be fixed without asking. */
export interface Problem {
  /** Where: `['queues', 'github-events', 'prefetch']`. */
  readonly path: Path;
  /** What belongs there, as it reads after "expected": `an integer from 1 to 65535`. */
  readonly expected: string;
  /** What was there; undefined if nothing was. */
  readonly given: unknown;
  /** `queues.github-events.prefetch: expected an integer from 1 to 65535, got: 0` */
  readonly message: string;
}

const MAX_GIVEN_CHARACTERS = 80;
const PLAIN_KEY = /^[\w-]+$/;

export function problem({ path, expected, given }: Omit<Problem, 'message'>): Problem {
  const place = path.length === 0 ? '' : `${formatPath(path)}: `;
  return { path, expected, given, message: `${place}expected ${expected}, got: ${formatGiven(given)}` };
}

/** Queue names may hold dots, so a key that is not one plain word is quoted: `queues["a.b"].prefetch`. */
export function formatPath(path: Path): string {
  const steps = path.map((key) => (PLAIN_KEY.test(String(key)) ? `.${key}` : `[${JSON.stringify(key)}]`));
  return steps.join('').replace(/^\./, '');
}

function formatGiven(given: unknown): string {
  if (given === undefined) return 'nothing';
  if (Array.isArray(given)) return 'a list';
  if (typeof given === 'string') return truncate(JSON.stringify(given));
  if (typeof given === 'number' || typeof given === 'boolean' || given === null) return String(given);
  return typeof given === 'object' ? 'a mapping' : `a ${typeof given}`;
}

function truncate(text: string): string {
  return text.length <= MAX_GIVEN_CHARACTERS ? text : `${text.slice(0, MAX_GIVEN_CHARACTERS)}...`;
}
