const MIN_TOLERATED_EDITS = 2;
const TOLERATED_EDITS_RATIO = 1 / 3;

/** The candidate that an unknown word was probably meant to be, or undefined if none is close. */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: editsBetween(plain(word), plain(candidate)) }))
    .filter(({ candidate, edits }) => edits <= toleratedEdits(candidate))
    .sort((a, b) => a.edits - b.edits);
  return ranked[0]?.candidate;
}

/** What to write instead of an unknown word, as it reads in a message: the one that was meant, or all there are. */
export function hint(word: string, candidates: readonly string[], all = candidates): string {
  const meant = suggest(word, candidates);
  return meant === undefined ? `one of ${all.join(', ')}` : `did you mean ${meant}?`;
}

/** `max_latency` and `MaxLatency` are other spellings of maxLatency, not typos. */
function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, '');
}

function toleratedEdits(candidate: string): number {
  return Math.max(MIN_TOLERATED_EDITS, Math.floor(candidate.length * TOLERATED_EDITS_RATIO));
}

/** Levenshtein distance, one row at a time; a word much longer than the candidate is not worth comparing. */
function editsBetween(word: string, candidate: string): number {
  if (word.length > 2 * candidate.length) return Infinity;
  let row = Array.from({ length: candidate.length + 1 }, (_, index) => index);
  for (const letter of word) {
    const next = [(row[0] ?? 0) + 1];
    for (const [index, other] of Array.from(candidate).entries()) {
      const replaced = (row[index] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? Infinity;
}
