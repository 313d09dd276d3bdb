import { DeadLetterError } from '../errors/dead-letter.error.js';
import type { DeadLetter } from './dead-letter.js';

/** Which dead letters: those with one of these message ids, those of one error class, or every one. */
export type DeadLetterSelection =
  { readonly ids: readonly string[] } | { readonly errorClass: string } | { readonly all: true };

const EXPECTED = 'expected { ids: [...] }, { errorClass: "..." } or { all: true }';

/** Tells whether a letter is selected, and remembers which ids were met. */
export class Selector {
  /** Letters that matched. */
  matched = 0;
  private readonly wantedIds: ReadonlySet<string>;
  private readonly metIds = new Set<string>();

  /** @throws DeadLetterError when the selection selects nothing, or several things at once */
  constructor(private readonly selection: DeadLetterSelection) {
    const problem = problemOf(selection);
    if (problem !== undefined) throw new DeadLetterError(problem);
    this.wantedIds = new Set('ids' in selection ? selection.ids : []);
  }

  get isForAll(): boolean {
    return 'all' in this.selection;
  }

  matches(letter: Pick<DeadLetter, 'id' | 'errorClass'>): boolean {
    const isMatch = this.isSelected(letter);
    if (isMatch) this.matched++;
    return isMatch;
  }

  /** Wanted ids that no letter had so far, in the order of the selection. */
  get notFound(): string[] {
    return [...this.wantedIds].filter((id) => !this.metIds.has(id));
  }

  private isSelected({ id, errorClass }: Pick<DeadLetter, 'id' | 'errorClass'>): boolean {
    if ('all' in this.selection) return true;
    if ('errorClass' in this.selection) return errorClass === this.selection.errorClass;
    if (id === undefined || !this.wantedIds.has(id)) return false;
    this.metIds.add(id);
    return true;
  }
}

/** n.b. selections come from command lines and requests as well. */
function problemOf(selection: unknown): string | undefined {
  const entries = typeof selection === 'object' && selection !== null ? Object.entries(selection) : [];
  const [entry, ...more] = entries;
  if (!entry || more.length > 0) return `${EXPECTED}, got: ${shown(selection)}`;
  const [kind, value] = entry as [string, unknown];
  switch (kind) {
    case 'all':
      return value === true ? undefined : `${EXPECTED}, got: ${shown(selection)}`;
    case 'errorClass':
      return isText(value)
        ? undefined
        : `expected errorClass to be the name of a class, got: ${shown(value)}`;
    case 'ids':
      return Array.isArray(value) && value.length > 0 && value.every(isText)
        ? undefined
        : `expected ids to be a list of one or more message ids, got: ${shown(value)}`;
    default:
      return `${EXPECTED}, got: ${shown(selection)}`;
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
