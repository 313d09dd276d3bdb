/** A body that is not UTF-8, with the code that PostgreSQL itself has for it: the same row can never succeed. */
export class InvalidTextError extends Error {
  override readonly name = 'InvalidTextError';
  /** SQLSTATE `character_not_in_repertoire`. */
  readonly code = '22021';
}
