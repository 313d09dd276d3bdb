import { PublishRefusedError } from './publish-refused.error.js';

/** The same message id was published before with another payload. Nothing was stored; other work needs another id. */
export class IdempotencyConflictError extends PublishRefusedError {
  readonly code = 'WQ_IDEMPOTENCY_CONFLICT';
  readonly reason = 'conflict';
}
