/**
 * The database said nothing at all. The embedded one does so when its stack overflows on deeply nested JSON, so this
 * carries PostgreSQL's code for that.
 */
export class UnansweredRecordError extends Error {
  override readonly name = 'UnansweredRecordError';
  readonly code = '54001';
}
