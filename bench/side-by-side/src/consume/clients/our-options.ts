import type { WorkQueueOptions } from '@spillway/work-queue';
import type { ConsumeTarget } from '../consume-client.js';

/** So long that it is never full: refusing is not what is measured here. */
const MAX_LENGTH = 1_000_000_000;

/** Only consumes; the queue exists. */
export function ourOptions({ url, managementUrl, queue, queueType }: ConsumeTarget): WorkQueueOptions {
  return { url, managementUrl, config: { queues: { [queue]: { type: queueType, maxLength: MAX_LENGTH } } } };
}
