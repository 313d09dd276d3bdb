/** JSON nested deeper than the embedded database can read, with the code a server has for it. */
export class NestingLimitError extends Error {
  override readonly name = 'NestingLimitError';
  /** SQLSTATE `statement_too_complex`: what a server answers when its stack would not do. */
  readonly code = '54001';
}
