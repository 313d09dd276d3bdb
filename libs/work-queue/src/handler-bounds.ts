import type { QueueQos } from '@spillway/qos';
import { boundsProblem, type ConsumerBounds } from './consume/consumer-bounds.js';
import type { Batching } from './consume/in-flight.js';
import { HandlerRegistrationError } from './errors/handler-registration.error.js';
import type { BatchOptions, MountedHandler } from './execute/work-handler.js';

const DEFAULT_BATCH_WAIT_MS = 100;
const MAX_BATCH_WAIT_MS = 60_000;

/**
 * The decorator's numbers win over the QoS file's; a prefetch alone is a concurrency too.
 * @throws HandlerRegistrationError
 */
export function boundsOf(handler: MountedHandler, qos: QueueQos): ConsumerBounds {
  const { label, queue, batch } = handler;
  const prefetch = handler.prefetch ?? Math.max(qos.prefetch, handler.concurrency ?? 0);
  const concurrency = handler.concurrency ?? Math.min(handler.prefetch ?? qos.concurrency, prefetch);
  const problem = boundsProblem({ prefetch, concurrency }, batch?.size ?? 1) ?? batchProblem(batch);
  if (problem === undefined) return { prefetch, concurrency };
  throw new HandlerRegistrationError(`${label}: ${problem}`, { queue });
}

export function batchingOf({ size, maxWaitMs = DEFAULT_BATCH_WAIT_MS }: BatchOptions): Batching {
  return { size, maxWaitMs };
}

function batchProblem(batch: BatchOptions | undefined): string | undefined {
  if (!batch) return undefined;
  const { size, maxWaitMs } = batchingOf(batch);
  if (!Number.isInteger(size) || size < 2) return `expected a batch.size of 2 or more, got: ${size}`;
  if (maxWaitMs >= 0 && maxWaitMs <= MAX_BATCH_WAIT_MS) return undefined;
  return `expected a batch.maxWaitMs of 0 to ${MAX_BATCH_WAIT_MS}, got: ${maxWaitMs}`;
}
